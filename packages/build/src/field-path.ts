import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from '@setpoint/manifest'

/** The steps of a JSON pointer (RFC 6901), such as `['spec', 'replicas']`; undefined when the text is none. */
export function parsePointer(pointer: string): string[] | undefined {
  if (!/^(\/([^~]|~[01])*)+$/.test(pointer)) return undefined
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<string, unknown>)[step]
  }
  return found
}

/**
 * A copy with another value at a path, or without the path when the value is undefined. Maps on the way are made where
 * they are missing; a list on the way must have the element. Only what is on the way is copied.
 */
export function withValueAt<T>(target: T, path: readonly string[], value: unknown): T {
  return replaced(target, path, value) as T
}

function replaced(target: unknown, path: readonly string[], value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (Array.isArray(target)) return replacedInList(target, step, rest, value)
  if (typeof target !== 'object' || target === null) {
    if (value === undefined || target !== undefined) return target
    return { [step]: replaced(undefined, rest, value) }
  }
  const { [step]: inner, ...others } = target as Record<string, unknown>
  const next = replaced(inner, rest, value)
  return next === undefined ? others : { ...others, [step]: next }
}

function replacedInList(list: readonly unknown[], step: string, rest: string[], value: unknown): unknown {
  const index = Number(step)
  if (!Object.hasOwn(list, step)) return list
  const next = replaced(list[index], rest, value)
  return next === undefined ? list.toSpliced(index, 1) : list.with(index, next)
}

/** Whether a manager other than ours has applied the field, or a part of it, server-side. */
export function appliedByOthers(live: KubeObject, path: readonly string[], ours: string): boolean {
  const { managedFields = [] } = live.metadata
  return managedFields.some(
    (entry) =>
      entry.operation === 'Apply' && entry.manager !== ours && !entry.subresource && owns(entry, live, path),
  )
}

function owns({ fieldsV1 }: ManagedFieldsEntry, live: KubeObject, path: readonly string[]): boolean {
  let fields: JsonObject | undefined = fieldsV1
  let value: unknown = live
  for (const step of path) {
    if (fields === undefined) return false
    // A leaf owns all that is below it.
    if (Object.keys(fields).length === 0) return true
    const inner = Array.isArray(value) ? valueAt(value, [step]) : undefined
    fields = (Array.isArray(value) ? ofElement(fields, step, inner) : fields[`f:${step}`]) as
      | JsonObject
      | undefined
    value = valueAt(value, [step])
  }
  return fields !== undefined
}

/** Elements of a list are owned by key (`k:{"name":"main"}`), by value (`v:"x"`) or by index (`i:0`). */
function ofElement(fields: JsonObject, step: string, element: unknown): Json | undefined {
  for (const [name, inner] of Object.entries(fields)) {
    if (name === `i:${step}` || name === `v:${JSON.stringify(element)}`) return inner
    if (!name.startsWith('k:')) continue
    const keys = Object.entries(JSON.parse(name.slice(2)) as Record<string, unknown>)
    if (keys.every(([key, value]) => valueAt(element, [key]) === value)) return inner
  }
  return undefined
}
