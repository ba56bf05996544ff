import { formatImage, type ImageReference } from '@setpoint/contracts'
import { type Document, LineCounter, Parser, parseDocument } from 'yaml'
import { findMarkers, type Marked } from './find-markers.ts'
import { type Leaf, leavesOf } from './leaves.ts'
import type { Marker } from './marker.ts'
import { scalarValue, withValue } from './scalar.ts'
import { splitDocuments } from './split-documents.ts'
import type { SetterChange, SetterObject, SetterProblem, SetterResult } from './types.ts'

/** An image to run. */
export interface SetImage extends ImageReference {
  /** A digest that the same tag has already stays, whichever it is. */
  keepsDigest?: boolean
}

/** The image to run, by `namespace:policy`. */
export type SetImages = ReadonlyMap<string, SetImage>

const MARKER = Buffer.from('$imagepolicy')
/** A document that is larger is left alone: to read it with all its positions would stop everything else for seconds. */
const MAX_DOCUMENT = 1024 * 1024
/** What an image may consist of, so that no value can change what the file around it means. */
const SAFE_VALUE = /^[A-Za-z0-9][-\w./:@+]*$/

/** True for the files that are looked at: `*.yaml`, `*.yml` and `Kustomization`. */
export function isSetterFile(path: string): boolean {
  return /\.ya?ml$/.test(path) || /(?:^|\/)Kustomization$/.test(path)
}

/** True when a file may hold a marker: a look at its bytes, for most files hold none. */
export function holdsMarker(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(MARKER)
}

/**
 * Puts images where markers ask for them. Only the bytes of marked scalars change; the result is read again to prove
 * it. A document that cannot be read leaves the whole file alone.
 */
export function setImages(bytes: Uint8Array, images: SetImages): SetterResult {
  const result: SetterResult = { changes: [], problems: [], unknown: [], policies: [] }
  if (!holdsMarker(bytes)) return result
  const text = decode(bytes)
  if (text === undefined)
    return failed(result, [{ line: 1, message: 'the file is not UTF-8', isFatal: true }])
  let changed = ''
  let line = 1
  for (const part of splitDocuments(text)) {
    changed += part.includes('$imagepolicy') ? setInDocument(part, line, images, result) : part
    line += part.split('\n').length - 1
  }
  if (result.problems.some(({ isFatal }) => isFatal)) return failed(result, result.problems)
  return changed === text ? result : { ...result, changed: Buffer.from(changed, 'utf8') }
}

function failed(result: SetterResult, problems: SetterProblem[]): SetterResult {
  return { ...result, changes: [], problems }
}

/** With its byte order mark, if it has one. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

interface Reading {
  leaves: Leaf[]
  document: Document.Parsed
  lineOf(offset: number): number
}

function setInDocument(text: string, firstLine: number, images: SetImages, result: SetterResult): string {
  const problem = (line: number, message: string, isFatal: boolean) => {
    result.problems.push({ line: firstLine + line - 1, message, isFatal })
    return text
  }
  if (text.length > MAX_DOCUMENT) return problem(1, 'the document is larger than 1 MiB', true)
  const before = read(text)
  const [error] = before.document.errors
  if (error !== undefined)
    return problem(before.lineOf(error.pos[0]), `not YAML: ${firstLineOf(error.message)}`, true)
  const { marked, wrong } = findMarkers(before.leaves)
  for (const { offset, message } of wrong) problem(before.lineOf(offset), message, false)
  const edits = new Map<number, string>()
  const object = objectOf(before.document)
  const setters = new Map<number, Marker>()
  for (const one of marked) {
    const line = firstLine + before.lineOf(one.offset) - 1
    const other = setters.get(one.index)
    if (other !== undefined && other.setter !== one.marker.setter) {
      edits.delete(one.index)
      return problem(
        line - firstLine + 1,
        `one value is marked as "${other.setter}" and "${one.marker.setter}"`,
        true,
      )
    }
    setters.set(one.index, one.marker)
    const edit = editOf(one, line, images, result)
    if (edit === undefined) continue
    edits.set(one.index, edit.source)
    result.changes.push({ ...edit.change, object })
  }
  if (edits.size === 0) return text
  const after = before.leaves.map((leaf, index) => edits.get(index) ?? leaf.source).join('')
  return proves(before.leaves, edits, read(after))
    ? after
    : problem(1, 'a value cannot be changed alone', true)
}

function editOf(
  { marker, scalar }: Marked,
  line: number,
  images: SetImages,
  result: SetterResult,
): { source: string; change: Omit<SetterChange, 'object'> } | undefined {
  const { setter } = marker
  if (!result.policies.includes(marker.policy)) result.policies.push(marker.policy)
  const image = images.get(marker.policy)
  if (image === undefined) {
    result.unknown.push({ setter, line })
    return undefined
  }
  const newValue = partOf(image, marker.part)
  const problem = (message: string) => {
    result.problems.push({ line, message, isFatal: false })
    return undefined
  }
  if (newValue === '')
    return problem(`the policy of "${setter}" takes no digest; see its digestReflectionPolicy`)
  if (!SAFE_VALUE.test(newValue)) return problem(`"${setter}" has a value that is no image`)
  const oldValue = scalarValue(scalar)
  if (oldValue === newValue || keepsOld(image, marker.part, oldValue)) return undefined
  const source = withValue(scalar, newValue)
  if (source === undefined) return problem(`"${setter}" marks a text of several lines`)
  return { source, change: { setter, oldValue, newValue, line } }
}

function keepsOld({ name, tag, keepsDigest }: SetImage, part: Marker['part'], oldValue: string): boolean {
  return keepsDigest === true && part === 'image' && oldValue.startsWith(`${name}:${tag}@`)
}

function partOf(image: ImageReference, part: Marker['part']): string {
  if (part === 'image') return formatImage(image)
  return image[part] ?? ''
}

function read(text: string): Reading {
  const counter = new LineCounter()
  const leaves = leavesOf(new Parser(counter.addNewLine).parse(text))
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'error' })
  return { leaves, document, lineOf: (offset) => counter.linePos(offset).line }
}

/** True when the text reads as before in every part but those that were meant to change, which hold what was meant. */
function proves(before: readonly Leaf[], edits: ReadonlyMap<number, string>, after: Reading): boolean {
  if (after.document.errors.length > 0 || after.leaves.length !== before.length) return false
  return before.every((leaf, index) => {
    const now = after.leaves[index]
    if (now === undefined || now.isKey !== leaf.isKey) return false
    const edited = edits.get(index)
    if (edited === undefined) return now.type === leaf.type && now.source === leaf.source
    return now.source === edited && (now.type === leaf.type || now.type === 'double-quoted-scalar')
  })
}

function objectOf(document: Document.Parsed): SetterObject {
  const text = (...path: string[]) => {
    const value = document.getIn(path)
    return typeof value === 'string' ? value : ''
  }
  return {
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    namespace: text('metadata', 'namespace'),
    name: text('metadata', 'name'),
  }
}

const firstLineOf = (message: string): string => message.split('\n')[0]?.replace(/ at line.*$/, '') ?? ''
