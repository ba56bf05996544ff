import { KubeApiError, KubeUnreachableError, NoMatchError } from '@setpoint/kube'
import { describeRef, type KubeObject } from '@setpoint/manifest'
import { ReconcileError } from '@setpoint/reconcile'
import { isConfidential } from '../confidential.ts'
import type { Task } from '../context.ts'
import type { Target } from './target.ts'

/** More than a person reads at once. */
const MAX_LINES = 30

/** One object that the API server does not take, and why, in words. */
export interface Rejection {
  target: Target
  step: 'dry-run' | 'apply'
  error: unknown
}

/** Stops a set at what was refused; in partial mode it is only noted, and the rest goes on. */
export function refuse(task: Task, rejections: readonly Rejection[]): void {
  if (task.wishes.partial) task.refused.push(...rejections)
  else if (rejections.length > 0) throw rejectionsError(rejections)
}

/** One error for all that was refused, each object with its own line. */
export function rejectionsError(
  rejections: readonly Rejection[],
  reason = 'ReconciliationFailed',
): ReconcileError {
  const lines = rejections.slice(0, MAX_LINES).map(rejectionLine)
  const left = rejections.length - lines.length
  if (left > 0) lines.push(`and ${left} more objects`)
  return new ReconcileError(reason, lines.join('\n'), { cause: rejections[0]?.error })
}

function rejectionLine({ target, step, error }: Rejection): string {
  const name = describeRef(target.ref)
  if (error instanceof KubeApiError) {
    const reason = error.reason === '' ? `HTTP ${error.code}` : error.reason
    return `${name} ${step} failed (${reason}): ${withoutSecrets(error.message, target.object)}${adviceFor(error)}`
  }
  return `${name} ${step} failed: ${error instanceof Error ? error.message : String(error)}`
}

function adviceFor(error: KubeApiError): string {
  if (isMissingNamespace(error)) return '; create the namespace or add it to the set'
  if (error.code === 403 && error.message.includes('User "system:serviceaccount:'))
    return '; bind a Role that allows it to the service account, or set another spec.serviceAccountName'
  if (isImmutable(error))
    return '; set spec.force, or the annotation kustomize.toolkit.fluxcd.io/force: enabled, to have it recreated'
  return ''
}

/** The API server refuses this very object; anything else (away, overloaded) is no fault of the object. */
export function isRejection(error: unknown): boolean {
  if (error instanceof KubeUnreachableError) return false
  if (error instanceof NoMatchError || error instanceof ReconcileError) return true
  return error instanceof KubeApiError && !TRANSIENT_CODES.has(error.code)
}

const TRANSIENT_CODES = new Set([429, 503, 504])

export function isMissingNamespace(error: unknown): boolean {
  return (
    error instanceof KubeApiError && error.code === 404 && /^namespaces "[^"]*" not found/.test(error.message)
  )
}

/** A field that cannot be changed on a live object. */
export function isImmutable(error: unknown): boolean {
  return (
    error instanceof KubeApiError && /(field is immutable|is immutable|immutable field)/.test(error.message)
  )
}

/** Flux takes every conflict and every invalid object for one that may help to recreate. */
export function mayBeImmutable(error: unknown): boolean {
  return error instanceof KubeApiError && (error.code === 409 || error.code === 422 || isImmutable(error))
}

const QUOTED_VALUE = /((?:Invalid|Unsupported|Duplicate) value: )("(?:[^"\\]|\\.)*"|[^\s:,]+)/g

/** The API server may quote what it was sent; confidential values must not reach a status or a log. */
function withoutSecrets(message: string, object: KubeObject): string {
  if (!isConfidential(object)) return message
  let clean = message.replaceAll(QUOTED_VALUE, '$1***')
  for (const value of secretValues(object)) clean = clean.replaceAll(value, '***')
  return clean
}

function secretValues(object: KubeObject): string[] {
  const encoded = valuesOf(object.data)
  const decoded = encoded.map((value) => Buffer.from(value, 'base64').toString('utf8'))
  return [...encoded, ...decoded, ...valuesOf(object.stringData)].filter((value) => value.length >= 3)
}

function valuesOf(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return []
  return Object.values(data).map(String)
}
