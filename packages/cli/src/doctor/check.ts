import type { KubeClient } from '@setpoint/kube'
import type { UpState } from '../up/state-file.ts'

/** What a check found. A warning does not make `doctor` fail. */
export interface Finding {
  /** What was looked at. */
  check: string
  result: 'ok' | 'warning' | 'failed'
  detail: string
  /** What to do about it. */
  advice?: string
}

/** What the checks look at. */
export interface Patient {
  kube: KubeClient
  /** Of the `setpoint up` that runs for this cluster from this machine. */
  state: UpState | undefined
  /** Namespace of Setpoint's own objects. */
  namespace: string
  /** NATS to look at; that of `setpoint up` by default. */
  natsUrl: string | undefined
  nowMs: number
}

/** Never throws for what it looks for: that is a finding. */
export type Check = (patient: Patient) => Promise<Finding[]>

export const ok = (check: string, detail: string): Finding => ({ check, result: 'ok', detail })
export const warning = (check: string, detail: string, advice: string): Finding => ({
  check,
  result: 'warning',
  detail,
  advice,
})
export const failed = (check: string, detail: string, advice: string): Finding => ({
  check,
  result: 'failed',
  detail,
  advice,
})
