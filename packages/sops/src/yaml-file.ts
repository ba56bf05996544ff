import { parseYaml, resolvePlain } from '@setpoint/manifest'
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  type ScalarTag,
  type YAMLMap,
} from 'yaml'
import type { EncryptedFile, VisitComment } from './encrypted-file.ts'
import { SopsError } from './error.ts'
import { type Metadata, readMetadata } from './metadata.ts'
import { printJsonTree } from './print-json.ts'
import { rfc3339 } from './time.ts'
import { type Branch, type Leaf, Timestamp, type Tree, type Visit } from './value.ts'

export function readYaml(text: string, mac?: string): EncryptedFile {
  const file = new YamlFile(text, mac)
  return { ...methodsOf(file), print: () => file.print() }
}

/** JSON is read as YAML, which keeps the order of its keys. */
export function readJson(text: string): EncryptedFile {
  const file = new YamlFile(text)
  return { ...methodsOf(file), print: () => printJsonTree(file.branches()[0] ?? new Map()) }
}

const methodsOf = (file: YamlFile): Omit<EncryptedFile, 'print'> => ({
  metadata: file.metadata,
  walk: (visit, visitComment) => file.walk(visit, visitComment),
  branches: () => file.branches(),
})

const MAX_NODES = 100_000

/** Only printed: whether a text is a date is for `leafOf` to say. */
const timestamps: ScalarTag = {
  tag: 'tag:yaml.org,2002:timestamp',
  default: true,
  test: /$^/,
  resolve: (text) => text,
  identify: (value) => value instanceof Timestamp,
  stringify: ({ value }) => (value as Timestamp).text,
}

class YamlFile {
  readonly metadata: Metadata
  private readonly documents: Document[]

  constructor(text: string, mac?: string) {
    const parsed = parse(text).map((document) => ({ document, section: takeSection(document) }))
    const chosen = parsed.filter(({ section }) => mac === undefined || macOf(section) === mac)
    this.documents = chosen.map(({ document }) => document)
    this.metadata = readMetadata(chosen[0]?.section)
  }

  walk(visit: Visit, visitComment: VisitComment): void {
    for (const document of this.documents) {
      walkComments(document, [[]], visitComment)
      document.contents = walkNode(document.contents, [], visit, visitComment) as typeof document.contents
    }
  }

  branches(): Branch[] {
    return this.documents.map(({ contents }) => {
      const tree = treeOf(contents)
      return tree instanceof Map ? tree : new Map()
    })
  }

  print(): string {
    return this.documents
      .map((document, index) => {
        document.directives = undefined as never
        return (index === 0 ? '' : '---\n') + document.toString({ indent: 4, lineWidth: 0 })
      })
      .join('')
  }
}

/** The first reading bounds the second, which keeps comments and order but takes long on bad input. */
function parse(text: string): Document[] {
  const [problem] = parseYaml(text, { maxNodes: MAX_NODES }).problems
  if (problem !== undefined) throw bad(problem.line, problem.message)
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    compat: 'yaml-1.1',
    intAsBigInt: true,
    customTags: (tags) => [...tags, timestamps],
    logLevel: 'silent',
  })
  const documents = Array.isArray(parsed) ? (parsed as Document[]) : []
  const [error] = documents.flatMap(({ errors }) => errors)
  if (error !== undefined) throw bad(error.linePos?.[0].line ?? 1, error.code)
  return documents
}

const bad = (line: number, why: string): SopsError =>
  new SopsError('BadFile', `cannot be read: ${why} (line ${line})`)

const macOf = (section: unknown): unknown => (section as { mac?: unknown } | undefined)?.mac

/** Removes the section `sops` and returns it as JSON. */
function takeSection(document: Document): unknown {
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined
  if (!isMap(contents)) return undefined
  const section = (contents as YAMLMap).get('sops', true)
  contents.delete('sops')
  return section === undefined ? undefined : jsonOf(treeOf(section as Node))
}

function walkNode(node: unknown, path: readonly string[], visit: Visit, visitComment: VisitComment): unknown {
  walkComments(node, [path, path.slice(0, -1)], visitComment)
  if (isMap(node)) for (const pair of node.items) walkPair(pair, path, visit, visitComment)
  else if (isSeq(node))
    node.items = node.items.map((item) => liftComment(walkNode(item, path, visit, visitComment)))
  else if (isAlias(node)) throw new SopsError('BadFile', 'holds an alias, which SOPS never writes')
  else if (isScalar(node)) return walkScalar(node, path, visit)
  return node
}

function walkPair(pair: Pair, path: readonly string[], visit: Visit, visitComment: VisitComment): void {
  walkComments(pair.key, [path], visitComment)
  pair.value = walkNode(pair.value, [...path, keyOf(pair)], visit, visitComment)
  if (isScalar(pair.value)) liftComment(pair.value, pair.key as Commented)
}

function walkScalar(node: Scalar, path: readonly string[], visit: Visit): Scalar {
  const leaf = leafOf(node)
  if (leaf === null) return node
  const value = visit(leaf, path)
  if (value === leaf && !(leaf instanceof Timestamp)) return node
  const scalar = new Scalar(value)
  if (typeof value === 'string' && value.includes('\n')) scalar.type = 'BLOCK_LITERAL'
  const { comment = null, commentBefore = null, [LIFTED]: lifted = false } = node as Commented
  return Object.assign(scalar, { comment, commentBefore, [LIFTED]: lifted })
}

function leafOf(node: Scalar): Leaf | null {
  if (node.type !== 'PLAIN' || node.tag !== undefined) {
    const { value } = node
    return typeof value === 'string' ? value : (value as Leaf | null)
  }
  const source = node.source ?? ''
  const time = rfc3339(source)
  return time === undefined ? resolvePlain(source, 'kustomize') : new Timestamp(time)
}

interface Commented {
  comment?: string | null | undefined
  commentBefore?: string | null | undefined
  /** The comment behind it was encrypted. */
  [LIFTED]?: boolean
}

const LIFTED = Symbol('lifted')

/** Comments are tried with each of the places where SOPS may have seen them. */
function walkComments(
  node: unknown,
  places: readonly (readonly string[])[],
  visitComment: VisitComment,
): void {
  const commented = (node ?? {}) as Commented
  for (const field of ['commentBefore', 'comment'] as const) {
    const comment = commented[field]
    if (typeof comment !== 'string' || !comment.includes('ENC[')) continue
    const text = comment.split('\n').map((line) => decryptLine(line, places, visitComment))
    commented[field] = text.join('\n')
    if (field === 'comment' && commented.comment !== comment) commented[LIFTED] = true
  }
}

/** SOPS forgets that an encrypted comment stood behind a value: it comes out above it. */
function liftComment(node: unknown, to = node as Commented): unknown {
  if (!isScalar(node)) return node
  const { [LIFTED]: lifted, comment } = node as Commented
  if (!lifted) return node
  node.comment = null
  to.commentBefore = [to.commentBefore, comment].filter(Boolean).join('\n')
  return node
}

function decryptLine(
  line: string,
  places: readonly (readonly string[])[],
  visitComment: VisitComment,
): string {
  for (const place of places) {
    const text = visitComment(line, place)
    if (text !== undefined) return text
  }
  return line
}

function treeOf(node: unknown): Tree {
  if (isMap(node)) return new Map(node.items.map((pair) => [keyOf(pair), treeOf(pair.value)]))
  if (isSeq(node)) return node.items.map(treeOf)
  return isScalar(node) ? leafOf(node) : null
}

function keyOf({ key }: Pair): string {
  if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? '')
  if (typeof key === 'string') return key
  throw new SopsError('BadFile', 'holds a key that is no text')
}

/** Plain JSON of a tree, for metadata. */
function jsonOf(tree: Tree): unknown {
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([key, value]) => [key, jsonOf(value)]))
  if (Array.isArray(tree)) return tree.map(jsonOf)
  return tree instanceof Timestamp ? tree.text : tree
}
