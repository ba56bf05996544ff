import { BuildError, within } from '../build-error.ts'
import type { LoadedFile, Loader } from '../files/loader.ts'
import type { GeneratorArgs } from '../kustomization/types.ts'
import type { FileUse } from '../types.ts'

/** One entry of a generated map. The value is text, or bytes where they are not UTF-8. */
export interface KeyValue {
  key: string
  value: string | Uint8Array
}

/** Collects what a generator names: env files, literals, files. No key twice. */
export function loadKeyValues(
  args: GeneratorArgs,
  loader: Loader,
  { secret = false }: { secret?: boolean } = {},
): KeyValue[] {
  const load = (as: FileUse['as']) => (path: string, name: string) =>
    secret ? loader.loadFor(path, { as, name }) : loader.load(path)
  const pairs = [
    ...(args.envs ?? []).flatMap((path) =>
      within({ field: 'envs' }, () => readEnvFile(path, load('secretEnv'))),
    ),
    ...(args.literals ?? []).map(parseLiteral),
    ...(args.files ?? []).map((source) => readFileSource(source, load('secretFile'))),
  ]
  const seen = new Set<string>()
  for (const { key } of pairs) {
    if (seen.has(key)) throw new BuildError('conflict', `'${args.name}' repeats the key '${key}'`)
    seen.add(key)
  }
  return pairs
}

function parseLiteral(source: string): KeyValue {
  const equals = source.indexOf('=')
  if (equals < 1)
    throw new BuildError('bad-value', `invalid literal '${source}', expected key=value`, {
      field: 'literals',
    })
  return { key: source.slice(0, equals), value: withoutQuotes(source.slice(equals + 1)) }
}

function withoutQuotes(text: string): string {
  const first = text[0]
  const quoted = text.length >= 2 && first === text.at(-1) && (first === '"' || first === "'")
  return quoted ? text.slice(1, -1) : text
}

type Load = (path: string, name: string) => LoadedFile

function readFileSource(source: string, load: Load): KeyValue {
  const parts = source.split('=')
  const [key = '', path = source] = parts
  if (parts.length > 2)
    throw new BuildError('bad-value', `'${source}' has more than one '='`, { field: 'files' })
  if (parts.length === 2 && (key === '' || path === '')) {
    const missing = key === '' ? 'key' : 'file path'
    throw new BuildError('bad-value', `missing ${missing} in '${source}'`, { field: 'files' })
  }
  const name = parts.length === 1 ? baseNameOf(source) : key
  const { content } = within({ field: 'files' }, () => load(path, name))
  return { key: name, value: textOrBytes(content) }
}

function baseNameOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOrBytes(content: Uint8Array): string | Uint8Array {
  try {
    return strictDecoder.decode(content)
  } catch {
    return content
  }
}

function readEnvFile(path: string, load: Load): KeyValue[] {
  const file = load(path, path)
  const text = textOrBytes(file.content)
  if (typeof text !== 'string')
    throw new BuildError('bad-value', 'the env file is not UTF-8 text', { file: file.path })
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
  return lines.flatMap((line, at) => parseEnvLine(at === 0 ? line.replace(/^\uFEFF/, '') : line))
}

/** `KEY=value`, or `KEY` alone for an empty value. */
function parseEnvLine(line: string): KeyValue[] {
  const text = line.trimStart()
  if (text === '' || text.startsWith('#')) return []
  const equals = text.indexOf('=')
  if (equals < 0) return [{ key: text, value: '' }]
  return equals === 0 ? [] : [{ key: text.slice(0, equals), value: text.slice(equals + 1) }]
}
