import type { KubeObject } from '@setpoint/manifest'

/** One field that would change. An absent side is undefined. */
export interface FieldChange {
  /** Such as `spec.template.spec.containers[0].image`. */
  path: string
  before: unknown
  after: unknown
}

/** What the API server writes by itself, so that it says nothing about what Git asks for. */
const SERVER_FIELDS = new Set([
  'managedFields',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'selfLink',
])
const MASK = '*** (not shown)'

/** The fields in which two states of an object differ. Values of Secrets, and others on demand, are masked. */
export function differences(
  before: KubeObject,
  after: KubeObject,
  { hideValues = false }: { hideValues?: boolean } = {},
): FieldChange[] {
  const changes = compare('', comparable(before), comparable(after))
  return hideValues || after.kind === 'Secret' ? changes.map(mask) : changes
}

function comparable({ status: _status, ...object }: KubeObject): unknown {
  const metadata = Object.entries(object.metadata).filter(([field]) => !SERVER_FIELDS.has(field))
  return { ...object, metadata: Object.fromEntries(metadata) }
}

function compare(path: string, before: unknown, after: unknown): FieldChange[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, index) =>
      compare(`${path}[${index}]`, before[index], after[index]),
    ).flat()
  }
  if (isObject(before) && isObject(after)) {
    const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return fields.flatMap((field) => compare(join(path, field), before[field], after[field]))
  }
  return before === after ? [] : [{ path, before, after }]
}

/** A name with dots, such as that of a label, is written in brackets. */
function join(path: string, field: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(field)) return `${path}["${field}"]`
  return path === '' ? field : `${path}.${field}`
}

/** Only metadata may be shown; that a value changes is all that is said of it. */
function mask(change: FieldChange): FieldChange {
  if (change.path.startsWith('metadata') && !change.path.includes('annotations')) return change
  const hide = (value: unknown) => (value === undefined ? undefined : MASK)
  return { path: change.path, before: hide(change.before), after: hide(change.after) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
