import { YAMLException } from 'js-yaml'
import type { Json } from './object.ts'
import { composeDocument, type DuplicateKeys } from './yaml-compose.ts'
import { plainValue } from './yaml-plain.ts'
import type { YamlDialect, YamlValue } from './yaml-scalar.ts'

/** One document of a stream; `line` is the 1-based line of the file on which its content starts. */
export interface YamlDocument<Value = Json> {
  value: Value
  line: number
}

/** Why a text is not the YAML that was asked for. Lines and columns are 1-based. */
export interface YamlProblem {
  message: string
  line: number
  column: number
}

export interface YamlOptions {
  /** How plain scalars are read; default `kubernetes`. */
  dialect?: YamlDialect
  /** `last`: a repeated key replaces the one before. `lastAnnotation`: an annotation does. Default `refuse`. */
  duplicateKeys?: DuplicateKeys
  maxBytes?: number
  maxDepth?: number
  /** Bound on all nodes of the stream, with aliases counted as often as they are used. */
  maxNodes?: number
  maxDocuments?: number
}

export interface YamlResult<Value = Json> {
  documents: YamlDocument<Value>[]
  /** Not empty: the text is bad, and `documents` holds those before the bad one. */
  problems: YamlProblem[]
}

/** Reads a stream of documents as Kubernetes' tools do. Empty documents are left out. */
export function parseYaml(text: string, options: YamlOptions = {}): YamlResult {
  const { documents, problems } = parseYamlSource(text, { dialect: 'kubernetes', ...options })
  return { documents: documents.map(({ value, line }) => ({ value: plainValue(value), line })), problems }
}

/** The same, but scalars whose text matters come back as SourceScalar. */
export function parseYamlSource(text: string, options: YamlOptions = {}): YamlResult<YamlValue> {
  const documents: YamlDocument<YamlValue>[] = []
  const problems: YamlProblem[] = []
  const budget = { nodes: options.maxNodes ?? defaultMaxNodes }
  const tooBig = checkSize(text, options)
  if (tooBig !== undefined) return { documents, problems: [tooBig] }
  const chunks = splitDocuments(text.replaceAll('\r\n', '\n').replace(/^\uFEFF/, ''))
  for (const chunk of chunks) {
    const problem = readChunk(chunk, { ...options, budget }, documents)
    if (problem === undefined) continue
    problems.push(problem)
    break
  }
  return { documents, problems }
}

const defaultMaxBytes = 50 * 1024 * 1024
const defaultMaxNodes = 2_000_000
const defaultMaxDepth = 250
const defaultMaxDocuments = 100_000

interface Chunk {
  text: string
  /** 0-based line of the file on which the chunk starts. */
  line: number
  /** Set where the separator before the chunk is not one. */
  badSeparator?: string
}

/** Documents are parted by a line that starts with `---`, wherever it stands, as kustomize does it. */
function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = []
  let start = 0
  let line = 0
  for (const match of text.matchAll(/\n---.*\n/g)) {
    const after = match[0].slice(4).trim()
    if (after !== '' && !after.startsWith('#')) {
      chunks.push({
        text: '',
        line: line + countLines(text, start, match.index),
        badSeparator: match[0].trim(),
      })
      return chunks
    }
    chunks.push({ text: text.slice(start, match.index + 1), line })
    line += countLines(text, start, match.index + match[0].length)
    start = match.index + match[0].length
  }
  chunks.push({ text: text.slice(start), line })
  return chunks
}

function countLines(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

type ChunkOptions = YamlOptions & { budget: { nodes: number } }

function readChunk(
  chunk: Chunk,
  options: ChunkOptions,
  documents: YamlDocument<YamlValue>[],
): YamlProblem | undefined {
  if (chunk.badSeparator !== undefined) {
    return { message: `invalid document separator: ${chunk.badSeparator}`, line: chunk.line + 2, column: 1 }
  }
  if (documents.length >= (options.maxDocuments ?? defaultMaxDocuments)) {
    return { message: `more than ${documents.length} documents in one file`, line: chunk.line + 1, column: 1 }
  }
  const content = chunk.text.replace(/\n---[^\n]*$/, '\n')
  if (separators(content, options.budget.nodes) > options.budget.nodes) {
    return {
      message: 'the document has too many lines or commas to be read',
      line: chunk.line + 1,
      column: 1,
    }
  }
  try {
    const document = composeDocument(content, {
      dialect: options.dialect ?? 'kubernetes',
      duplicateKeys: options.duplicateKeys ?? 'refuse',
      maxDepth: options.maxDepth ?? defaultMaxDepth,
      budget: options.budget,
    })
    if (document !== undefined) documents.push({ value: document.value, line: chunk.line + document.line })
    return undefined
  } catch (error) {
    return problemOf(error, chunk.line)
  }
}

/** Values stand on lines of their own or behind commas, so these tell how much a document may hold before it is read. */
function separators(text: string, limit: number): number {
  if (text.length <= limit) return 0
  let count = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === newline || code === comma) count += 1
  }
  return count
}

const newline = 10
const comma = 44

function problemOf(error: unknown, firstLine: number): YamlProblem {
  if (!(error instanceof YAMLException)) throw error
  const { mark } = error
  return { message: error.reason, line: firstLine + (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 }
}

function checkSize(text: string, options: YamlOptions): YamlProblem | undefined {
  const limit = options.maxBytes ?? defaultMaxBytes
  if (text.length <= limit) return undefined
  return {
    message: `the file has ${text.length} characters, more than the limit of ${limit}`,
    line: 1,
    column: 1,
  }
}
