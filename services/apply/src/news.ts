import { isConditionTrue } from '@setpoint/conditions'
import { FINALIZER, type Kustomization, ROLLBACK_ANNOTATION, wishesDiffer } from '@setpoint/contracts'
import { requestOf } from './renderings.ts'

/** A change that a run has something to do about. Changes of the status are our own. */
export function asksForWork(next: Kustomization, previous: Kustomization): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    requestOf(next) !== requestOf(previous) ||
    next.metadata.annotations?.[ROLLBACK_ANNOTATION] !==
      previous.metadata.annotations?.[ROLLBACK_ANNOTATION] ||
    wishesDiffer(next, previous) ||
    !(next.metadata.finalizers ?? []).includes(FINALIZER)
  )
}

/** A run under way works on something that is not wanted any more. */
export function changesCourse(next: Kustomization, previous: Kustomization): boolean {
  return (
    next.metadata.generation !== previous.metadata.generation ||
    next.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp
  )
}

/** A change that dependants wait for. */
export function standsOtherwise(next: Kustomization, previous: Kustomization): boolean {
  return (
    isConditionTrue(next.status?.conditions, 'Ready') !==
      isConditionTrue(previous.status?.conditions, 'Ready') ||
    next.status?.observedGeneration !== previous.status?.observedGeneration ||
    next.status?.lastAppliedRevision !== previous.status?.lastAppliedRevision
  )
}
