import type { PruneBudget } from './kustomization-wishes.ts'
import { PRUNE_APPROVE_ANNOTATION, PRUNE_BUDGET_ANNOTATION } from './names.ts'

/** One object that a prune would delete. */
export interface PruneCandidate {
  /** Such as `Deployment/prod/web`. */
  name: string
  group: string
  kind: string
  /** Names of the objects that a Kustomization takes along when it is deleted. */
  carries: readonly { name: string; group: string; kind: string }[]
}

/** One prune, before anything is deleted. */
export interface PruneStep {
  candidates: readonly PruneCandidate[]
  /** Objects that the Kustomization keeps now, those that would go among them. */
  inventorySize: number
  /** The new set holds no object at all. */
  emptied: boolean
  /** Nothing was applied to the end before. */
  firstSync: boolean
  budget: PruneBudget | undefined
}

/**
 * Why a prune has to wait for an approval, or undefined. Pure. Without a budget, that is what nobody loses on purpose in
 * passing: a Namespace, a definition, a volume claim, or everything. A budget bounds the count as well; 100% lifts every bound.
 */
export function pruneProblem({
  candidates,
  inventorySize,
  emptied,
  firstSync,
  budget,
}: PruneStep): string | undefined {
  const all = candidates.flatMap((candidate) => [candidate, ...candidate.carries])
  if (all.length === 0 || isUnlimited(budget)) return undefined
  const limit = limitOf(budget, inventorySize)
  if (all.length > limit) return `the ${PRUNE_BUDGET_ANNOTATION} allows ${limit}`
  if (firstSync) return undefined
  if (emptied) return 'the new set is empty'
  const precious = all.filter(isPrecious)
  return precious.length === 0 ? undefined : `among them ${listOf(precious.map(({ name }) => name))}`
}

/** What the condition and the CLI say: the list, why it waits, and the token that approves exactly it. */
export function pruneBlockedMessage(step: PruneStep, problem: string, token: string): string {
  const { candidates, inventorySize } = step
  const names = candidates.map(({ name, carries }) =>
    carries.length === 0 ? name : `${name} with its ${carries.length} objects`,
  )
  return [
    `${candidates.length} of ${inventorySize} objects are no longer declared and would be deleted; ${problem}: ${listOf(names, MAX_LISTED)}.`,
    'Nothing is deleted until somebody approves it: setpoint approve kustomization,',
    `or annotation ${PRUNE_APPROVE_ANNOTATION}: ${token}`,
  ].join(' ')
}

/** The token that a condition's message asks for. */
export function tokenToApprove(message: string): string | undefined {
  return new RegExp(`${PRUNE_APPROVE_ANNOTATION}: ([0-9a-f]+)$`).exec(message)?.[1]
}

const MAX_LISTED = 50
const MAX_PRECIOUS = 10

function isUnlimited(budget: PruneBudget | undefined): boolean {
  return budget !== undefined && 'percent' in budget && budget.percent === 100
}

function limitOf(budget: PruneBudget | undefined, inventorySize: number): number {
  if (budget === undefined) return Number.POSITIVE_INFINITY
  return 'objects' in budget ? budget.objects : Math.floor((budget.percent / 100) * inventorySize)
}

/** Deleting one of these deletes more than itself, or data. */
function isPrecious({ group, kind }: { group: string; kind: string }): boolean {
  return (
    (group === '' && (kind === 'Namespace' || kind === 'PersistentVolumeClaim')) ||
    (group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition')
  )
}

function listOf(names: readonly string[], most = MAX_PRECIOUS): string {
  const shown = names.slice(0, most)
  const left = names.length - shown.length
  return `[${shown.join(', ')}${left > 0 ? `, and ${left} more` : ''}]`
}
