import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '@setpoint/manifest'

/** The way to a field: names, and positions in lists. */
export type FieldPath = readonly (string | number)[]

/** The fields that count (labels, annotations, anything outside metadata and status) and differ between two states. */
export function changedFields(live: KubeObject, wanted: KubeObject): FieldPath[] {
  return differences([], comparable(live), comparable(wanted))
}

/** Such as `spec.containers[0].image` or `data["a.b"]`. */
export function fieldName(path: FieldPath): string {
  return path.map(segmentName).join('').replace(/^\./, '')
}

function segmentName(segment: string | number): string {
  if (typeof segment === 'number') return `[${segment}]`
  return /^[A-Za-z0-9_-]+$/.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`
}

function comparable({ metadata, status: _status, ...content }: KubeObject): unknown {
  const { labels = {}, annotations = {} } = metadata
  return { ...content, metadata: { labels, annotations } }
}

function differences(path: FieldPath, a: unknown, b: unknown): FieldPath[] {
  if (isDeepStrictEqual(a, b)) return []
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length)
    return a.flatMap((item, index) => differences([...path, index], item, b[index]))
  if (!isMap(a) || !isMap(b)) return [path]
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].flatMap((name) => differences([...path, name], a[name], b[name]))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
