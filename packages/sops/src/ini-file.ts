import type { EncryptedFile } from './encrypted-file.ts'
import { SopsError } from './error.ts'
import { unflatten } from './flatten.ts'
import { readMetadata } from './metadata.ts'
import { textOf } from './text-value.ts'
import type { Branch, Leaf, Tree } from './value.ts'

const DEFAULT_SECTION = 'DEFAULT'

interface Section {
  name: string
  comment: string
  entries: Entry[]
}

interface Entry {
  key: string
  value: Leaf
  /** What stands above it, without the leading sign. */
  comment: string
}

/** Sections of `key = value` lines. */
export function readIni(text: string): EncryptedFile {
  const sections = parseIni(text)
  const metadata = sections.find(({ name }) => name === 'sops')?.entries ?? []
  const kept = sections.filter(({ name }) => name !== 'sops')
  return {
    metadata: readMetadata(
      unflatten(metadata.map(({ key, value }) => [key, textOf(value).replaceAll('\\n', '\n')] as const)),
    ),
    walk(visit, visitComment) {
      for (const section of kept) {
        const place = [section.name]
        section.comment = visitComment(section.comment, place) ?? section.comment
        for (const entry of section.entries) {
          entry.value = visit(entry.value, [section.name, entry.key])
          entry.comment = visitComment(entry.comment, place) ?? entry.comment
        }
      }
    },
    branches: () => [
      new Map(
        kept.map(({ name, entries }) => [name, new Map(entries.map(({ key, value }) => [key, value]))]),
      ),
    ],
    print: () => printSections(kept),
  }
}

/** @throws SopsError BadFile when a value stands outside of a section. */
export function printIni(branch: Branch): string {
  return printSections([...branch].map(([name, keys]) => sectionOf(name, keys)))
}

function sectionOf(name: string, keys: Tree): Section {
  if (!(keys instanceof Map)) throw new SopsError('BadFile', `holds ${name} outside of a section`)
  const entries = [...keys].map(([key, value]) => ({ key, value: textOf(value), comment: '' }))
  return { name, comment: '', entries }
}

function parseIni(text: string): Section[] {
  let section: Section = { name: DEFAULT_SECTION, comment: '', entries: [] }
  const sections = [section]
  let comment = ''
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '') continue
    if (/^[#;]/.test(line)) {
      comment = line.replace(/^[#; ]+/, '')
      continue
    }
    const header = /^\[(.*)\]$/.exec(line)
    if (header === null) section.entries.push({ ...parseEntry(line, index), comment })
    else {
      section = { name: (header[1] ?? '').trim(), comment, entries: [] }
      sections.push(section)
    }
    comment = ''
  }
  return sections
}

function parseEntry(line: string, index: number): { key: string; value: string } {
  const match = /^(.*?)\s*[=:]\s*(.*)$/.exec(line)
  if (match === null) throw new SopsError('BadFile', `has a line without "=" (line ${index + 1})`)
  return { key: match[1] ?? '', value: unquote(match[2] ?? '') }
}

function unquote(value: string): string {
  const quoted = /^("""|`|"|')(.*)\1$/.exec(value)
  if (quoted !== null) return quoted[2] ?? ''
  const comment = value.search(/\s[#;]/)
  return comment < 0 ? value : value.slice(0, comment).trimEnd()
}

function printSections(sections: Section[]): string {
  return sections
    .filter(({ name, entries }) => name !== DEFAULT_SECTION || entries.length > 0)
    .map(printSection)
    .join('\n')
}

function printSection({ name, comment, entries }: Section): string {
  const width = Math.max(0, ...entries.map(({ key }) => key.length))
  const head = name === DEFAULT_SECTION ? [] : [`[${name}]`]
  const lines = entries.flatMap(({ key, value, comment }) => [
    ...printComment(comment),
    `${key.padEnd(width)} = ${quote(textOf(value))}`,
  ])
  return [...printComment(comment), ...head, ...lines].map((line) => `${line}\n`).join('')
}

const printComment = (comment: string): string[] => (comment === '' ? [] : [`; ${comment}`])

function quote(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`
  if (/[#;]/.test(value)) return `\`${value}\``
  return value.trim() === value ? value : `"${value}"`
}
