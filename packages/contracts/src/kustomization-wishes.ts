import type { Kustomization } from './kustomization.ts'
import {
  APPLY_ANNOTATION,
  DRIFT_ANNOTATION,
  PRUNE_APPROVE_ANNOTATION,
  PRUNE_BUDGET_ANNOTATION,
} from './names.ts'

/** What becomes of an edit that Git does not know of. */
export type DriftMode = 'enforce' | 'warn' | 'ignore'

/** How many objects one step may prune without an approval. */
export type PruneBudget = { objects: number } | { percent: number }

/** What a Kustomization wishes by annotations of its own that Flux does not have. */
export interface KustomizationWishes {
  /** enforce when nothing is said. */
  drift: DriftMode
  /** Apply what can be applied although other objects are refused. */
  partial: boolean
  /** undefined: everything but what no Kustomization should lose by accident. */
  pruneBudget: PruneBudget | undefined
  /** The token of the list that somebody has approved; '' when nobody has. */
  approvedPrune: string
}

const DRIFT_MODES: readonly string[] = ['enforce', 'warn', 'ignore']
const BUDGET = /^(?:(\d{1,9})|(\d{1,3}(?:\.\d+)?)%)$/

/** The wishes, and a line for each annotation whose value is not one of those that are defined. Pure. */
export function wishesOf({ metadata }: Pick<Kustomization, 'metadata'>): {
  wishes: KustomizationWishes
  problems: string[]
} {
  const problems: string[] = []
  const read = <T>(key: string, parse: (value: string) => T | undefined, allowed: string): T | undefined => {
    const value = metadata.annotations?.[key]
    if (value === undefined) return undefined
    const parsed = parse(value.trim())
    if (parsed === undefined) problems.push(`annotation ${key}: ${quoted(value)} is not ${allowed}`)
    return parsed
  }
  const wishes: KustomizationWishes = {
    drift: read(DRIFT_ANNOTATION, parseDriftMode, 'one of enforce, warn, ignore') ?? 'enforce',
    partial: read(APPLY_ANNOTATION, parseApply, 'one of partial, whole') ?? false,
    pruneBudget: read(PRUNE_BUDGET_ANNOTATION, parseBudget, 'a count such as 5 or a percentage such as 10%'),
    approvedPrune: metadata.annotations?.[PRUNE_APPROVE_ANNOTATION]?.trim() ?? '',
  }
  return { wishes, problems }
}

/** Says that the wishes of two states of a Kustomization differ. */
export function wishesDiffer(
  a: Pick<Kustomization, 'metadata'>,
  b: Pick<Kustomization, 'metadata'>,
): boolean {
  return [DRIFT_ANNOTATION, APPLY_ANNOTATION, PRUNE_BUDGET_ANNOTATION, PRUNE_APPROVE_ANNOTATION].some(
    (key) => a.metadata.annotations?.[key] !== b.metadata.annotations?.[key],
  )
}

function parseDriftMode(value: string): DriftMode | undefined {
  return DRIFT_MODES.includes(value) ? (value as DriftMode) : undefined
}

function parseApply(value: string): boolean | undefined {
  return value === 'partial' ? true : value === 'whole' ? false : undefined
}

function parseBudget(value: string): PruneBudget | undefined {
  const [, count, percent] = BUDGET.exec(value) ?? []
  if (count !== undefined) return { objects: Number(count) }
  if (percent === undefined || Number(percent) > 100) return undefined
  return { percent: Number(percent) }
}

const MAX_QUOTED = 60

function quoted(value: string): string {
  return JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value)
}
