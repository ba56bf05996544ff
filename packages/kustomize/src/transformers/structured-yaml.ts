import { resolvePlain, SourceScalar } from '@setpoint/manifest'
import {
  type Document,
  isSeq,
  isMap as isYamlMap,
  isScalar as isYamlScalar,
  type Node,
  Pair,
  parseDocument,
  Scalar,
  type ScalarTag,
  visit,
  YAMLMap,
  YAMLSeq,
} from 'yaml'
import { isList, isMap, isNull, SourceText, textOf, type Value, type ValueMap } from '../value.ts'

/**
 * The text with its comments, quotes and order; only what differs is written. As in kustomize, empty lines and the
 * mark of the start of a document are lost.
 */
export function rewriteYaml(text: string, before: Value, after: Value): string {
  const document = parseDocument(text, { schema: 'failsafe', customTags: (tags) => [...tags, emptyTag] })
  document.directives.docStart = null
  dropEmptyLines(document)
  writeDifferences(document, [], before, after)
  const written = document.toString({ lineWidth: 0, indentSeq: false, flowCollectionPadding: false })
  return written.replace(/(!!(?:int|float|bool)) ""$/gm, '$1').trim()
}

/** All else is text, which is written as it was read. */
const emptyTag: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^$/,
  identify: (value) => value === null,
  resolve: () => new Scalar(null),
  stringify: () => '',
}

function dropEmptyLines(document: Document): void {
  visit(document, {
    Node: (_key, node) => {
      if (node.spaceBefore === true) node.spaceBefore = false
      if (node.commentBefore) node.commentBefore = node.commentBefore.replace(/\n\s*\n/g, '\n')
    },
  })
}

function writeDifferences(
  document: Document,
  path: (string | number)[],
  before: Value | undefined,
  after: Value,
): void {
  if (before === after) return
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  if (isList(after) && isList(before) && isSeq(node) && before.length <= after.length) {
    for (const [at, item] of after.entries()) writeDifferences(document, [...path, at], before[at], item)
  } else if (isMap(after) && isMap(before) && isYamlMap(node) && holdsKeysOf(after, before)) {
    for (const key in after) writeDifferences(document, [...path, key], before[key], after[key] ?? null)
  } else if (isYamlScalar(node) && !isList(after) && !isMap(after)) {
    writeScalarNode(node, after)
  } else if (path.length === 0) {
    document.contents = nodeOf(after)
  } else {
    document.setIn(path, nodeOf(after))
  }
}

/** What lost a key was replaced as a whole. */
function holdsKeysOf(after: ValueMap, before: ValueMap): boolean {
  return Object.keys(before).every((key) => Object.hasOwn(after, key))
}

/** Text over a number or a boolean is tagged with the old type, as kustomize does it. */
function writeScalarNode(node: Scalar, after: Value): void {
  const old = node.type === 'PLAIN' ? resolvePlain(textOf(node.value as Value), 'kustomize') : undefined
  const isText = typeof SourceText.valueOf(after) === 'string'
  if (isText && typeof old === 'number') node.tag = Number.isInteger(old) ? '!!int' : '!!float'
  if (isText && typeof old === 'boolean') node.tag = '!!bool'
  if (node.tag !== undefined) node.type = 'PLAIN'
  else if (node.type === 'PLAIN' && isText && looksTyped(textOf(after))) node.type = 'QUOTE_DOUBLE'
  node.value = node.type === 'PLAIN' ? plainValueOf(after) : textOf(after)
}

/** Null is what prints nothing at all. */
function plainValueOf(value: Value): string | null {
  return isNull(value) && textOf(value) === '' ? null : textOf(value)
}

/** True for text that is read as something else where it stands without quotes. */
function looksTyped(text: string): boolean {
  return resolvePlain(text, 'kustomize') !== text
}

function nodeOf(value: Value): Node {
  if (isMap(value)) {
    const map = new YAMLMap()
    for (const key in value) map.items.push(new Pair(scalarOf(key), nodeOf(value[key] ?? null)))
    return map
  }
  if (!isList(value)) return scalarOf(value)
  const list = new YAMLSeq()
  list.items = value.map(nodeOf)
  return list
}

function scalarOf(value: Value): Scalar {
  const text = textOf(value)
  const scalar = new Scalar(plainValueOf(value))
  const isQuoted = value instanceof SourceScalar && value.quoted
  scalar.type = isQuoted || (typeof value === 'string' && looksTyped(text)) ? 'QUOTE_DOUBLE' : 'PLAIN'
  return scalar
}
