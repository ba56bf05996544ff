import { type Json, parseJson, plainValue } from '@setpoint/manifest'
import { refuseProto } from '../added-key.ts'
import { BuildError } from '../build-error.ts'
import { printJson } from '../json-text.ts'
import { nearestName } from '../kustomization/nearest.ts'
import type { FileParser } from '../parse/file.ts'

export interface JsonPatchOperation {
  op: string
  path: string
  from?: string
  value?: Json
}

type Container = Json[] | { [key: string]: Json }

/** Reads a JSON patch (RFC 6902) in JSON or YAML. */
export function parseJsonPatch(text: string, parser: FileParser): JsonPatchOperation[] {
  const value = text.startsWith('[')
    ? parseJsonText(text)
    : plainValue(parser.inline(text, 'kubernetes')[0]?.value ?? null)
  if (value === null) return []
  if (!Array.isArray(value)) throw new BuildError('bad-patch', 'a JSON patch must be a list of operations')
  return value.map(readOperation)
}

function parseJsonText(text: string): Json {
  if (text.includes('"__proto__"')) refuseProto('__proto__')
  try {
    return parseJson(text)
  } catch (error) {
    throw new BuildError(
      'bad-patch',
      `a patch that starts with '[' must be JSON: ${(error as Error).message}`,
    )
  }
}

function readOperation(value: Json, at: number): JsonPatchOperation {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BuildError('bad-patch', `operation ${at} of the JSON patch must be a map`)
  }
  const { op, path, from } = value
  if (typeof path !== 'string')
    throw new BuildError('bad-patch', `operation ${at} of the JSON patch has no path`)
  const operation: JsonPatchOperation = { op: typeof op === 'string' ? op : '', path }
  if (typeof from === 'string') operation.from = from
  if (Object.hasOwn(value, 'value')) operation.value = value.value ?? null
  return operation
}

/**
 * Applies the operations in turn, as the library that kustomize uses: a replace of a key that is not there adds it,
 * a copy of one is a null. Changes the document and returns it, or throws at the first operation that does not fit.
 */
export function applyJsonPatch(document: Json, operations: JsonPatchOperation[]): Json {
  let result = document
  for (const operation of operations) {
    if (operation.op === 'replace' && operation.path === '') result = clone(operation.value ?? null)
    else applyOperation(result, operation)
  }
  return result
}

type Apply = (document: Json, operation: JsonPatchOperation) => void

const operators: Record<string, Apply> = {
  add: (document, { path, value }) => addAt(document, path, clone(value ?? null), 'add'),
  remove: (document, { path }) => {
    removeAt(document, path, 'remove')
  },
  replace: (document, { path, value }) => replaceAt(document, path, clone(value ?? null)),
  move: (document, operation) =>
    addAt(document, operation.path, removeAt(document, fromOf(operation), 'move'), 'move'),
  copy: (document, operation) =>
    addAt(document, operation.path, clone(valueAt(document, fromOf(operation), 'copy')), 'copy'),
  test: testAt,
}

function applyOperation(document: Json, operation: JsonPatchOperation): void {
  const apply = Object.hasOwn(operators, operation.op) ? operators[operation.op] : undefined
  if (apply !== undefined) {
    apply(document, operation)
    return
  }
  const { op, path } = operation
  throw new BuildError('bad-patch', `unknown operation '${op}' at ${path}${hintFor(op)}`)
}

function hintFor(op: string): string {
  const nearest = nearestName(op, Object.keys(operators))
  return nearest === undefined ? '' : `; did you mean '${nearest}'?`
}

function fromOf({ op, from, path }: JsonPatchOperation): string {
  if (from === undefined) throw new BuildError('bad-patch', `the operation ${op} ${path} needs 'from'`)
  return from
}

interface Target {
  parent: Container
  key: string
}

function locate(document: Json, pointer: string, op: string): Target {
  const parts = pointer.split('/')
  if (parts.length < 2) throw missing(op, pointer)
  const keys = parts.slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  for (const key of keys) refuseProto(key)
  let parent: Json = document
  for (const key of keys.slice(0, -1)) {
    const next: Json | undefined = isContainer(parent) ? child(parent, key, op, pointer) : undefined
    if (!isContainer(next)) throw missing(op, pointer)
    parent = next
  }
  if (!isContainer(parent)) throw missing(op, pointer)
  return { parent, key: keys.at(-1) ?? '' }
}

function isContainer(value: Json | undefined): value is Container {
  return typeof value === 'object' && value !== null
}

function child(parent: Container, key: string, op: string, pointer: string): Json | undefined {
  if (!Array.isArray(parent)) return Object.hasOwn(parent, key) ? parent[key] : undefined
  return parent[indexOf(parent, key, parent.length - 1, op, pointer)]
}

/** An index may count from the end with a minus. */
function indexOf(list: Json[], key: string, last: number, op: string, pointer: string): number {
  const index = /^[-+]?\d+$/.test(key) ? Number(key) : Number.NaN
  const counted = index < 0 ? index + last + 1 : index
  if (Number.isNaN(counted) || counted < 0 || counted > last) {
    throw new BuildError(
      'bad-patch',
      `the operation ${op} ${pointer} names no item of a list of ${list.length}`,
    )
  }
  return counted
}

function addAt(document: Json, pointer: string, value: Json, op: string): void {
  const { parent, key } = locate(document, pointer, op)
  if (!Array.isArray(parent)) parent[key] = value
  else if (key === '-') parent.push(value)
  else parent.splice(indexOf(parent, key, parent.length, op, pointer), 0, value)
}

function removeAt(document: Json, pointer: string, op: string): Json {
  const { parent, key } = locate(document, pointer, op)
  if (Array.isArray(parent)) {
    return parent.splice(indexOf(parent, key, parent.length - 1, op, pointer), 1)[0] ?? null
  }
  if (!Object.hasOwn(parent, key)) throw missing(op, pointer)
  const value = parent[key] ?? null
  delete parent[key]
  return value
}

function replaceAt(document: Json, pointer: string, value: Json): void {
  const { parent, key } = locate(document, pointer, 'replace')
  if (Array.isArray(parent)) parent[indexOf(parent, key, parent.length - 1, 'replace', pointer)] = value
  else parent[key] = value
}

function valueAt(document: Json, pointer: string, op: string): Json {
  const { parent, key } = locate(document, pointer, op)
  return child(parent, key, op, pointer) ?? null
}

function testAt(document: Json, { path, value }: JsonPatchOperation): void {
  const found = path === '' ? document : valueAt(document, path, 'test')
  if (printJson(found) === printJson(value ?? null)) return
  throw new BuildError('bad-patch', `testing value ${path} failed: it is ${printJson(found)}`)
}

function missing(op: string, pointer: string): BuildError {
  return new BuildError('bad-patch', `the operation ${op} does not apply: there is no ${pointer}`)
}

function clone(value: Json): Json {
  if (!isContainer(value)) return value
  if (Array.isArray(value)) return value.map(clone)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clone(item)]))
}
