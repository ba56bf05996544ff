import { isDeepStrictEqual } from 'node:util'
import { type NewCondition, removeCondition, setCondition } from '@setpoint/conditions'
import type { Artifact, Condition, SourceObject, SourceStatus } from '@setpoint/contracts'
import type { FailureCondition } from './failure.ts'

/** How a run ended, as the status shall say it. */
export type Settlement =
  | { outcome: 'ready'; artifact: Artifact; made: Made }
  | { outcome: 'failed'; condition: FailureCondition; reason: string; message: string }
  | { outcome: 'stalled'; reason: string; message: string }
  | { outcome: 'suspended' }

/** What an artifact was made with. */
export interface Made {
  observed: { [field in (typeof OBSERVED)[number]]?: unknown }
  /** What was verified; undefined when nothing had to be. */
  verified: string | undefined
}

const OBSERVED = [
  'observedIgnore',
  'observedInclude',
  'includedArtifacts',
  'observedRecurseSubmodules',
  'observedSparseCheckout',
  'sourceVerificationMode',
  'observedLayerSelector',
] as const

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
  { status: before = {} }: SourceObject,
  settlement: Settlement,
  { generation, requestedAt, nowMs }: { generation: number; requestedAt: string | undefined; nowMs: number },
): SourceStatus {
  const isSettled = settlement.outcome !== 'failed'
  return {
    ...(settlement.outcome === 'ready'
      ? { ...withoutObserved(before), ...settlement.made.observed }
      : before),
    ...(settlement.outcome === 'ready' ? { artifact: settlement.artifact } : {}),
    ...(isSettled ? { observedGeneration: generation } : {}),
    ...(requestedAt === undefined || requestedAt === '' ? {} : { lastHandledReconcileAt: requestedAt }),
    ...nextConditions(before, settlement, generation, nowMs),
  }
}

/** The merge patch from one status to the next, or undefined when they say the same. */
export function statusPatch(
  before: SourceStatus | undefined,
  after: SourceStatus,
): Record<string, unknown> | undefined {
  const [old, next]: Record<string, unknown>[] = [{ ...before }, { ...after }]
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})])
  const changed = [...names].filter((name) => !isDeepStrictEqual(old?.[name], next?.[name]))
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((name) => [name, next?.[name] ?? null]))
}

function withoutObserved(status: SourceStatus): SourceStatus {
  const kept = Object.entries(status).filter(([name]) => !OBSERVED.some((observed) => observed === name))
  return Object.fromEntries(kept)
}

function nextConditions(
  before: SourceStatus,
  settlement: Settlement,
  generation: number,
  nowMs: number,
): Pick<SourceStatus, 'conditions'> {
  if (settlement.outcome === 'suspended') return {}
  const wishes = wishesOf(settlement)
  // After a failure the last verification still speaks of the artifact that is there.
  const passing = settlement.outcome === 'ready' ? [...PROBLEMS, 'SourceVerified'] : PROBLEMS
  const kept = passing
    .filter((type) => !wishes.some((wish) => wish.type === type))
    .reduce<Condition[]>(removeCondition, before.conditions ?? [])
  const conditions = wishes.reduce(
    (all, wish) => setCondition(all, { ...wish, observedGeneration: generation }, nowMs),
    kept,
  )
  return { conditions }
}

function wishesOf(settlement: Exclude<Settlement, { outcome: 'suspended' }>): Wish[] {
  if (settlement.outcome === 'ready') {
    const message = `stored artifact for revision '${settlement.artifact.revision}'`
    const { verified } = settlement.made
    const good = { status: 'True', reason: 'Succeeded', message } as const
    return [
      { type: 'Ready', ...good },
      { type: 'ArtifactInStorage', ...good },
      ...(verified === undefined ? [] : [{ type: 'SourceVerified', ...good, message: verified }]),
    ]
  }
  const { reason, message } = settlement
  const ready: Wish = { type: 'Ready', status: 'False', reason, message }
  if (settlement.outcome === 'stalled') return [{ type: 'Stalled', status: 'True', reason, message }, ready]
  return [
    { type: 'Reconciling', status: 'True', reason: 'ProgressingWithRetry', message },
    {
      type: settlement.condition,
      status: settlement.condition === 'SourceVerified' ? 'False' : 'True',
      reason,
      message,
    },
    ready,
  ]
}
