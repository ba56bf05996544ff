import type { InventoryEntry } from '@setpoint/manifest'

export interface Said {
  reason: string
  message: string
}

/** What a Kustomization has to say besides how its last run went; null: nothing (any more). */
export type Notices = {
  PruneBlocked: Said | null
  Conflict: Said | null
  Drifted: Said | null
}

/** How a run, or a part of it, ended: what the status has to say afterwards. Absent fields stay as they are. */
export interface Settlement {
  ready?: Said & { status: 'True' | 'False' | 'Unknown' }
  /** null: not (or no longer). */
  reconciling?: Said | null
  stalled?: Said | null
  healthy?: (Said & { status: 'True' | 'False' | 'Unknown' }) | null
  /** An earlier build is held to. */
  rolledBack?: Said | null
  notices?: Notices | undefined
  attemptedRevision?: string
  appliedRevision?: string
  /** What the applied artifact was made of; '' when its source does not say. */
  appliedOriginRevision?: string
  inventory?: InventoryEntry[]
  history?: { digest: string; durationMs: number; revision: string }
  /** The generation has been dealt with: only on success or stall. */
  observed?: boolean
  /** The value of the request annotation that was answered. */
  handledRequest?: string
}

export const RECONCILING_MESSAGE = 'Reconciliation in progress'

/** Work has begun: nothing is known yet. */
export function progressing(message = RECONCILING_MESSAGE): Settlement {
  const said = { reason: 'Progressing', message }
  return { ready: { status: 'Unknown', ...said }, reconciling: said, stalled: null }
}

/** Everything is applied; the objects' health is waited for. */
export function awaitingHealth(revision: string, timeout: string): Settlement {
  const message = `Running health checks for revision ${revision} with a timeout of ${timeout}`
  const said = { reason: 'Progressing', message }
  return { ...progressing(message), healthy: { status: 'Unknown', ...said }, attemptedRevision: revision }
}

export function succeeded(revision: string, handledRequest: string): Settlement {
  return {
    ready: { status: 'True', reason: 'ReconciliationSucceeded', message: `Applied revision: ${revision}` },
    reconciling: null,
    stalled: null,
    attemptedRevision: revision,
    appliedRevision: revision,
    observed: true,
    handledRequest,
  }
}

/** It did not work, and will be tried again. */
export function failed(reason: string, message: string, handledRequest: string): Settlement {
  return {
    ready: { status: 'False', reason, message },
    reconciling: { reason: 'ProgressingWithRetry', message: RECONCILING_MESSAGE },
    stalled: null,
    handledRequest,
  }
}

/** Only a change of the spec can help. */
export function stalled(reason: string, message: string, handledRequest: string): Settlement {
  return {
    ready: { status: 'False', reason, message },
    reconciling: null,
    stalled: { reason, message },
    observed: true,
    handledRequest,
  }
}
