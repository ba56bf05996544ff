import { type Kustomization, parseDuration, parseInterval } from '@setpoint/contracts'

const MIN_TIMEOUT_MS = 30_000

export function intervalMs({ spec }: Kustomization): number {
  return parseInterval(spec.interval)
}

/** After a failure: fixed, without back-off, as Flux. */
export function retryIntervalMs(kustomization: Kustomization): number {
  const { retryInterval } = kustomization.spec
  return retryInterval === undefined ? intervalMs(kustomization) : parseInterval(retryInterval)
}

/** Of applying and of health checks; 30 s less than the interval, at least 30 s, when it is not given. */
export function timeoutMs(kustomization: Kustomization): number {
  const { timeout } = kustomization.spec
  if (timeout !== undefined) return parseDuration(timeout)
  return Math.max(intervalMs(kustomization) - MIN_TIMEOUT_MS, MIN_TIMEOUT_MS)
}

/** A suspended Kustomization leaves its objects behind, as in Flux. */
export function deletesObjects({ spec }: Kustomization): boolean {
  if (spec.suspend) return false
  switch (spec.deletionPolicy) {
    case 'Orphan':
      return false
    case 'Delete':
    case 'WaitForTermination':
      return true
    default:
      return spec.prune
  }
}
