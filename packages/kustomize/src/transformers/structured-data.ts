import { type Json, parseYamlSource, plainValue } from '@setpoint/manifest'
import { BuildError } from '../build-error.ts'
import { lookUp } from '../fields/lookup.ts'
import { type CreateKind, matchPath, type Slot } from '../fields/match.ts'
import { printJson } from '../json-text.ts'
import { cloneValue, isNull, isScalar, plainText, textOf, type Value, type ValueMap } from '../value.ts'
import { writeScalar } from './scalar-text.ts'
import { rewriteYaml } from './structured-yaml.ts'

/**
 * Where a path goes on within a scalar that holds YAML or JSON (the data of a ConfigMap), writes the value there.
 * False when it does not, or when the path leads nowhere in it.
 */
export function setInStructuredData(
  object: ValueMap,
  path: string[],
  value: Value,
  create: CreateKind,
): boolean {
  const at = scalarOnPath(object, path)
  if (at === undefined) return false
  const holder = lookUpHolder(object, path.slice(0, at))
  if (holder === undefined) return false
  const text = textOf(holder.get())
  const written = writeInText(text, path.slice(at), value, create)
  if (written === undefined) return false
  holder.set(writeScalar(holder.get(), written))
  return true
}

function scalarOnPath(object: ValueMap, path: string[]): number | undefined {
  for (let at = 1; at < path.length; at += 1) {
    const found = quietly(() => lookUp(object, path.slice(0, at)))
    if (found !== undefined && isScalar(found)) return at
  }
  return undefined
}

function lookUpHolder(object: ValueMap, path: string[]): Slot | undefined {
  const root: Slot = { get: () => object, set: () => {} }
  return quietly(() => matchPath(root, path, undefined))?.[0]
}

function quietly<Result>(step: () => Result): Result | undefined {
  try {
    return step()
  } catch (error) {
    if (error instanceof BuildError) return undefined
    throw error
  }
}

function writeInText(text: string, path: string[], value: Value, create: CreateKind): string | undefined {
  const { documents, problems } = parseYamlSource(text, { dialect: 'kustomize', maxNodes: 1_000_000 })
  const [document] = documents
  if (problems.length > 0 || document === undefined || isScalar(document.value)) return undefined
  const before = cloneValue(document.value)
  const holder = { value: document.value }
  const root: Slot = { get: () => holder.value, set: () => {} }
  const slots = quietly(() => matchPath(root, path, create))
  if (slots === undefined || slots.length === 0) return undefined
  const first = text.trimStart()[0]
  const isJson = first === '{' || first === '['
  const written = slots.map((slot) => writeSlot(slot, value, isJson))
  // kustomize writes nothing where the text does not fit into JSON, and tags it where it does not fit into YAML.
  if (isJson) return written.includes(false) ? text : jsonText(holder.value, text)
  return rewriteYaml(text, before, holder.value)
}

/** False when the text is not of the type of the scalar that it replaces. */
function writeSlot(slot: Slot, value: Value, isJson: boolean): boolean {
  const old = slot.get()
  if (!isScalar(old)) {
    slot.set(cloneValue(value))
    return true
  }
  // Nothing over nothing: JSON has no other word for it than an empty string, YAML has none at all.
  if (textOf(value) === '' && (old === '' || isNull(old))) {
    slot.set(isJson ? '' : plainText(''))
    return true
  }
  const fitting = quietly(() => writeScalar(old, textOf(value)))
  slot.set(fitting ?? textOf(value))
  return fitting !== undefined
}

function jsonText(value: Value, original: string): string {
  const compact = printJson(value)
  if (!original.includes('\n') || !original.includes('  ')) return compact
  const indented = JSON.stringify(sortedPlain(plainValue(value)), null, 2)
  return indented.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

function sortedPlain(value: Json): unknown {
  if (Array.isArray(value)) return value.map(sortedPlain)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedPlain(value[key] ?? null)]),
  )
}
