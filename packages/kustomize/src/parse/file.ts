import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import {
  type DuplicateKeys,
  parseYamlSource,
  type YamlDialect,
  type YamlDocument,
  type YamlProblem,
  type YamlValue,
} from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import type { LoadedFile } from '../files/loader.ts'
import type { Tree } from '../files/tree.ts'
import type { ParseCache } from './cache.ts'

/** The documents of one file. Shared between builds: take a copy before you change one. */
export interface ParsedFile {
  documents: YamlDocument<YamlValue>[]
  problem?: YamlProblem
}

/** Reads YAML for one build, through the cache. */
export class FileParser {
  readonly tree: Tree
  readonly cache: ParseCache | undefined
  readonly local = new Map<string, ParsedFile>()

  constructor(tree: Tree, cache: ParseCache | undefined) {
    this.tree = tree
    this.cache = cache
  }

  /** The documents of a file of resources or patches. */
  documents(file: LoadedFile): YamlDocument<YamlValue>[] {
    const parsed = this.parsed(file, 'kustomize')
    if (parsed.problem !== undefined) throw badYaml(parsed.problem, file.path)
    return parsed.documents
  }

  /** The first document of a file that configures kustomize. Of a repeated key the last counts. */
  configuration(file: LoadedFile): YamlValue | undefined {
    return this.firstDocument(file, this.parsed(file, 'kubernetes'))
  }

  /** The same, for the kind of file in which no key may be repeated. */
  strictConfiguration(file: LoadedFile): YamlValue | undefined {
    return this.firstDocument(file, this.parse(decode(file), 'kubernetes', 'refuse'))
  }

  firstDocument(file: LoadedFile, parsed: ParsedFile): YamlValue | undefined {
    const [first] = parsed.documents
    if (parsed.problem !== undefined && first === undefined) throw badYaml(parsed.problem, file.path)
    return first?.value
  }

  parsed(file: LoadedFile, dialect: YamlDialect): ParsedFile {
    const id = this.tree.files.id?.(file.path) ?? `sha1:${sha1(file.content)}`
    const parse = () => this.parse(decode(file), dialect)
    return this.remembered(`${dialect}:${id}`, file.content.length, parse)
  }

  remembered(key: string, bytes: number, parse: () => ParsedFile): ParsedFile {
    const known = this.local.get(key) ?? this.cache?.get(key)
    if (known !== undefined) return known
    const parsed = parse()
    this.local.set(key, parsed)
    this.cache?.set(key, parsed, bytes)
    return parsed
  }

  parse(
    text: string,
    dialect: YamlDialect,
    duplicateKeys: DuplicateKeys = dialect === 'kustomize' ? 'lastAnnotation' : 'last',
  ): ParsedFile {
    const { documents, problems } = parseYamlSource(text, {
      dialect,
      duplicateKeys,
      maxBytes: this.tree.limits.maxFileBytes,
      maxNodes: this.tree.limits.maxNodes,
    })
    return problems[0] === undefined ? { documents } : { documents, problem: problems[0] }
  }

  /** Reads text that stands in a kustomization, a patch for example. */
  inline(text: string, dialect: YamlDialect): YamlDocument<YamlValue>[] {
    const { documents, problem } = this.parsedText(text, dialect)
    if (problem !== undefined)
      throw new BuildError('bad-yaml', `${problem.message} (line ${problem.line} of the text)`)
    return documents
  }

  /** What was opened for a patch may be secret, and is not kept. */
  parsedText(text: string, dialect: YamlDialect): ParsedFile {
    const parse = () => this.parse(text, dialect, dialect === 'kustomize' ? 'refuse' : 'last')
    if (this.tree.openFile !== undefined || text.length > maxKeyLength) return parse()
    return this.remembered(`${dialect}:text:${text}`, text.length, parse)
  }
}

/** Longer texts are not worth a second copy. */
const maxKeyLength = 64 * 1024

function sha1(content: Uint8Array): string {
  return createHash('sha1').update(content).digest('base64')
}

function badYaml(problem: YamlProblem, file: string): BuildError {
  return new BuildError('bad-yaml', problem.message, { file, line: problem.line })
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true })

export function decode(file: LoadedFile): string {
  try {
    return strictDecoder.decode(file.content)
  } catch {
    const line = firstBadLine(file.content)
    throw new BuildError('bad-yaml', 'the file is not UTF-8 text', { file: file.path, line })
  }
}

/** 1-based. */
function firstBadLine(content: Uint8Array): number {
  let line = 1
  for (let start = 0; start < content.length; line += 1) {
    const found = content.indexOf(newline, start)
    const end = found < 0 ? content.length : found + 1
    if (!isUtf8(content.subarray(start, end))) return line
    start = end
  }
  return line
}

const newline = 10
