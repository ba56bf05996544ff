import { findCondition } from '@setpoint/conditions'
import { type Condition, type GitRepository, type Kustomization, REASON_SUCCEEDED } from '@setpoint/contracts'
import { shortRevision } from '../cluster/managed-object.ts'
import { type Facts, heldBySource, sourceKeyOf } from './facts.ts'

/** One step from a commit to the cluster. */
export interface Step {
  step: 'source' | 'render' | 'apply' | 'health'
  /** `unknown` stands behind the step that holds everything up. */
  state: 'done' | 'waiting' | 'failed' | 'unknown'
  detail: string
  /** RFC 3339, when that is known. */
  time?: string
  /** What to do about it. */
  advice?: string
}

export interface Explanation {
  /** The revision that the steps are about. */
  revision: string
  /** One id for everything that was done because of this commit: look for it in logs and traces. */
  traceId?: string
  steps: Step[]
  /** Every step is done. */
  live: boolean
}

/** The reasons of Ready=False that come from building, not from applying. */
const BUILD_REASONS = new Set([
  'ArtifactFailed',
  'BuildFailed',
  'NotImplemented',
  'AccessDenied',
  'DecryptionFailed',
])

type Explain = (facts: Facts, revision: string) => Omit<Step, 'step'>

const explainers: readonly (readonly [Step['step'], Explain])[] = [
  ['source', explainSource],
  ['render', explainRender],
  ['apply', explainApply],
  ['health', explainHealth],
]

/** The chain source → render → apply → health, up to the step that holds it. Pure. */
export function explain(facts: Facts): Explanation {
  const revision = heldBySource(facts)
  const steps: Step[] = []
  for (const [step, explainStep] of explainers) {
    const held = steps.some(({ state }) => state !== 'done')
    steps.push({
      step,
      ...(held ? { state: 'unknown', detail: 'not reached' } : explainStep(facts, revision)),
    })
  }
  const { artifact } = facts.said ?? {}
  const traceId = artifact?.data.revision === revision ? artifact.traceId : undefined
  return {
    revision,
    ...(traceId === undefined ? {} : { traceId }),
    steps,
    live: steps.every(({ state }) => state === 'done'),
  }
}

function explainSource(facts: Facts, revision: string): Omit<Step, 'step'> {
  const { kind, name, namespace } = sourceKeyOf(facts.kustomization)
  const source = facts.source as GitRepository | undefined
  const label = `${kind} ${namespace}/${name}`
  if (source === undefined) return failed(`${label} does not exist`, 'create it, or mend spec.sourceRef')
  const ready = conditionOf(source, 'Ready')
  const isAsked = facts.commit === undefined || revision.includes(facts.commit)
  if (!isAsked && wasApplied(facts)) return failed(replacedBy(facts, revision), 'setpoint history shows when')
  if (source.spec.suspend && (revision === '' || !isAsked))
    return waiting(`${label} is suspended`, `setpoint resume source git ${name} -n ${namespace}`)
  if (ready?.status === 'False' && (revision === '' || !isAsked))
    return failed(`${ready.reason}: ${ready.message}`, `setpoint get sources -n ${namespace}`, ready)
  if (revision === '') return waiting(`${label} holds no artifact yet`)
  if (!isAsked) {
    const holds = `holds ${shortRevision(revision)}, not ${facts.commit}; it looks every ${source.spec.interval}`
    return waiting(holds, `is it pushed? setpoint reconcile source git ${name} -n ${namespace}`)
  }
  const stale = ready?.status === 'False' ? `; fetching fails now: ${ready.message}` : ''
  return done(`fetched ${shortRevision(revision)}${stale}`, artifactTime(facts, source))
}

function explainRender(facts: Facts, revision: string): Omit<Step, 'step'> {
  const { kustomization, said } = facts
  if (kustomization.spec.suspend) return done('not built: the Kustomization is suspended')
  const rendered = said?.rendered
  const ready = conditionOf(kustomization, 'Ready')
  if (ready?.status === 'False' && BUILD_REASONS.has(ready.reason))
    return failed(`${ready.reason}: ${ready.message}`, 'mend it in Git and push', ready)
  if (rendered?.data.problem !== undefined)
    return failed(
      `${rendered.data.problem.reason}: ${rendered.data.problem.message}`,
      'mend it in Git and push',
    )
  if (rendered !== undefined && rendered.data.revision !== revision)
    return waiting(
      `the last build is of ${shortRevision(rendered.data.revision)}`,
      'does kustomize-render run? setpoint doctor',
    )
  if (rendered !== undefined) return done(`built ${rendered.data.set?.objects ?? 0} objects`, rendered.time)
  if (kustomization.status?.lastAttemptedRevision === revision) return done('built')
  return waiting(
    'no build of this revision was seen',
    'setpoint doctor, or --nats to ask the services themselves',
  )
}

function explainApply(facts: Facts, revision: string): Omit<Step, 'step'> {
  const { kustomization, said } = facts
  const { name, namespace = '' } = kustomization.metadata
  const { status = {} } = kustomization
  if (kustomization.spec.suspend)
    return waiting('the Kustomization is suspended', `setpoint resume kustomization ${name} -n ${namespace}`)
  const rolledBack = conditionOf(kustomization, 'RolledBack')
  if (rolledBack !== undefined)
    return waiting(rolledBack.message, `setpoint resume kustomization ${name} -n ${namespace}`, rolledBack)
  const ready = conditionOf(kustomization, 'Ready')
  if (ready?.status === 'False' && ready.reason === 'DependencyNotReady')
    return waiting(ready.message, 'setpoint why kustomization/DEPENDENCY', ready)
  if (ready?.status === 'False' && ready.reason !== 'HealthCheckFailed')
    return failed(`${ready.reason}: ${ready.message}`, `setpoint get kustomizations -n ${namespace}`, ready)
  const healthPending =
    conditionOf(kustomization, 'Healthy')?.status !== 'True' && status.lastAttemptedRevision === revision
  if (status.lastAppliedRevision !== revision && !healthPending)
    return waiting(ready?.message ?? 'not looked at yet', 'does apply run? setpoint doctor', ready)
  if (facts.inInventory === false)
    return failed('the object is not in the inventory: it is not (or no longer) in Git', 'setpoint diff')
  const outcome = said?.outcome
  const time = outcome?.data.revision === revision ? outcome.time : lastSuccess(kustomization)
  return done(`applied ${shortRevision(revision)}`, time)
}

function explainHealth({ kustomization }: Facts): Omit<Step, 'step'> {
  const healthy = conditionOf(kustomization, 'Healthy')
  if (healthy === undefined) return done('not checked: neither spec.wait nor spec.healthChecks is set')
  if (healthy.status === 'True') return done(healthy.message, healthy.lastTransitionTime)
  if (healthy.status === 'Unknown') return waiting(healthy.message, undefined, healthy)
  return failed(healthy.message, 'look at the objects that it names', healthy)
}

function wasApplied({ kustomization, commit = '' }: Facts): boolean {
  return (kustomization.status?.history ?? []).some(
    (row) => row.lastReconciledStatus === REASON_SUCCEEDED && (row.metadata?.revision ?? '').includes(commit),
  )
}

function replacedBy({ commit }: Facts, revision: string): string {
  return `${commit} was applied, and ${shortRevision(revision)} has replaced it`
}

function artifactTime({ said }: Facts, source: GitRepository): string | undefined {
  const { artifact } = source.status ?? {}
  return said?.artifact?.data.revision === artifact?.revision
    ? said?.artifact?.time
    : artifact?.lastUpdateTime
}

function lastSuccess({ status }: Kustomization): string | undefined {
  return status?.history?.find(({ lastReconciledStatus }) => lastReconciledStatus === REASON_SUCCEEDED)
    ?.lastReconciled
}

function conditionOf(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return findCondition(object.status?.conditions, type)
}

function done(detail: string, time?: string): Omit<Step, 'step'> {
  return { state: 'done', detail, ...(time === undefined ? {} : { time }) }
}

function waiting(detail: string, advice?: string, since?: Condition): Omit<Step, 'step'> {
  return { state: 'waiting', detail, ...sinceOf(since), ...(advice === undefined ? {} : { advice }) }
}

function failed(detail: string, advice: string, since?: Condition): Omit<Step, 'step'> {
  return { state: 'failed', detail, ...sinceOf(since), advice }
}

const sinceOf = (condition: Condition | undefined): { time?: string } =>
  condition === undefined ? {} : { time: condition.lastTransitionTime }
