import { timestamp } from '@setpoint/conditions'
import { formatDuration, type HistorySnapshot } from '@setpoint/contracts'

const MAX_SNAPSHOTS = 5

export interface Reconciled {
  /** `sha256:<hex>` of the built manifests. */
  digest: string
  /** The reason of Ready. */
  status: string
  durationMs: number
  revision: string
}

/** The history with one more reconciliation: newest first, one row for each digest and status. nowMs: since the epoch. */
export function addToHistory(
  history: readonly HistorySnapshot[],
  reconciled: Reconciled,
  nowMs: number,
): HistorySnapshot[] {
  const same = (row: HistorySnapshot) =>
    row.digest === reconciled.digest && row.lastReconciledStatus === reconciled.status
  const before = history.find(same)
  const time = timestamp(nowMs)
  const row: HistorySnapshot = {
    digest: reconciled.digest,
    firstReconciled: before?.firstReconciled ?? time,
    lastReconciled: time,
    lastReconciledDuration: formatDuration(Math.round(reconciled.durationMs)),
    lastReconciledStatus: reconciled.status,
    totalReconciliations: (before?.totalReconciliations ?? 0) + 1,
    metadata: { revision: reconciled.revision },
  }
  return [row, ...history.filter((other) => !same(other))].slice(0, MAX_SNAPSHOTS)
}
