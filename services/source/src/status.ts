import { isDeepStrictEqual } from 'node:util'
import { type NewCondition, removeCondition, setCondition } from '@setpoint/conditions'
import type { Artifact, Condition, GitRepository, GitRepositoryStatus } from '@setpoint/contracts'
import type { FailureCondition } from './failure.ts'

/** How a run ended, as the status shall say it. */
export type Settlement =
  | { outcome: 'ready'; artifact: Artifact; ignore: string }
  | { outcome: 'failed'; condition: FailureCondition; reason: string; message: string }
  | { outcome: 'stalled'; reason: string; message: string }
  | { outcome: 'suspended' }

type Wish = Omit<NewCondition, 'observedGeneration'>

/** Conditions that are there only while they are True. */
const PROBLEMS = [
  'Stalled',
  'Reconciling',
  'FetchFailed',
  'StorageOperationFailed',
  'IncludeUnavailable',
  'ArtifactOutdated',
]

/**
 * The status after a settlement. Pure. generation: the one that the run was about. requestedAt: the annotation that
 * was seen. nowMs: milliseconds since the epoch.
 */
export function nextStatus(
  { status: before = {} }: GitRepository,
  settlement: Settlement,
  { generation, requestedAt, nowMs }: { generation: number; requestedAt: string | undefined; nowMs: number },
): GitRepositoryStatus {
  const { observedIgnore: _observedIgnore, ...kept } = before
  const isSettled = settlement.outcome !== 'failed'
  return {
    ...(settlement.outcome === 'ready' ? withIgnore(kept, settlement.ignore) : before),
    ...(settlement.outcome === 'ready' ? { artifact: settlement.artifact } : {}),
    ...(isSettled ? { observedGeneration: generation } : {}),
    ...(requestedAt === undefined || requestedAt === '' ? {} : { lastHandledReconcileAt: requestedAt }),
    ...nextConditions(before, settlement, generation, nowMs),
  }
}

/** The merge patch from one status to the next, or undefined when they say the same. */
export function statusPatch(
  before: GitRepositoryStatus | undefined,
  after: GitRepositoryStatus,
): Record<string, unknown> | undefined {
  const [old, next]: Record<string, unknown>[] = [{ ...before }, { ...after }]
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})])
  const changed = [...names].filter((name) => !isDeepStrictEqual(old?.[name], next?.[name]))
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((name) => [name, next?.[name] ?? null]))
}

function withIgnore(status: GitRepositoryStatus, ignore: string): GitRepositoryStatus {
  return ignore === '' ? status : { ...status, observedIgnore: ignore }
}

function nextConditions(
  before: GitRepositoryStatus,
  settlement: Settlement,
  generation: number,
  nowMs: number,
): Pick<GitRepositoryStatus, 'conditions'> {
  if (settlement.outcome === 'suspended') return {}
  const wishes = wishesOf(settlement)
  const kept = PROBLEMS.filter((type) => !wishes.some((wish) => wish.type === type)).reduce<Condition[]>(
    removeCondition,
    before.conditions ?? [],
  )
  const conditions = wishes.reduce(
    (all, wish) => setCondition(all, { ...wish, observedGeneration: generation }, nowMs),
    kept,
  )
  return { conditions }
}

function wishesOf(settlement: Exclude<Settlement, { outcome: 'suspended' }>): Wish[] {
  if (settlement.outcome === 'ready') {
    const message = `stored artifact for revision '${settlement.artifact.revision}'`
    const good = { status: 'True', reason: 'Succeeded', message } as const
    return [
      { type: 'Ready', ...good },
      { type: 'ArtifactInStorage', ...good },
    ]
  }
  const { reason, message } = settlement
  const ready: Wish = { type: 'Ready', status: 'False', reason, message }
  if (settlement.outcome === 'stalled') return [{ type: 'Stalled', status: 'True', reason, message }, ready]
  return [
    { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message },
    { type: settlement.condition, status: 'True', reason, message },
    ready,
  ]
}
