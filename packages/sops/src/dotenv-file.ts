import type { EncryptedFile } from './encrypted-file.ts'
import { SopsError } from './error.ts'
import { unflatten } from './flatten.ts'
import { readMetadata } from './metadata.ts'
import { isLeaf, textOf } from './text-value.ts'
import type { Branch, Leaf } from './value.ts'

const PREFIX = 'sops_'

interface Line {
  key?: string
  /** The comment where there is no key. */
  value: Leaf
}

/** `KEY=value` lines; a line break in a value is written `\n`. */
export function readDotenv(text: string): EncryptedFile {
  const lines = text.split('\n').flatMap(parseLine)
  const isMetadata = ({ key }: Line) => key?.startsWith(PREFIX) === true
  const section = lines
    .filter(isMetadata)
    .map(({ key = '', value }) => [key.slice(PREFIX.length), String(value)] as const)
  const kept = lines.filter((line) => !isMetadata(line))
  return {
    metadata: readMetadata(unflatten(section)),
    walk(visit, visitComment) {
      for (const line of kept)
        line.value =
          line.key === undefined
            ? (visitComment(String(line.value), []) ?? line.value)
            : visit(line.value, [line.key])
    },
    branches: () => [
      new Map(kept.flatMap(({ key, value }) => (key === undefined ? [] : [[key, value] as const]))),
    ],
    print: () => kept.map(printLine).join(''),
  }
}

function parseLine(text: string, index: number): Line[] {
  if (text === '') return []
  if (text.startsWith('#')) return [{ value: text.slice(1) }]
  const equals = text.indexOf('=')
  if (equals < 0) throw new SopsError('BadFile', `has a line without "=" (line ${index + 1})`)
  return [{ key: text.slice(0, equals), value: text.slice(equals + 1).replaceAll('\\n', '\n') }]
}

/** @throws SopsError BadFile when a value is a map or a list. */
export function printDotenv(branch: Branch): string {
  return [...branch]
    .map(([key, value]) => {
      if (!isLeaf(value) && value !== null)
        throw new SopsError('BadFile', `holds a map or list at ${key}, which an env file cannot`)
      return printLine({ key, value: textOf(value) })
    })
    .join('')
}

function printLine({ key, value }: Line): string {
  const text = textOf(value)
  return key === undefined ? `#${text}\n` : `${key}=${text.replaceAll('\n', '\\n')}\n`
}
