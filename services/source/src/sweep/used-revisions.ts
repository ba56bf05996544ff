import { KUSTOMIZATION, type Kustomization, readRollback, subjects } from '@setpoint/contracts'
import { type KubeClient, NoMatchError } from '@setpoint/kube'

/**
 * The revisions that Kustomizations hold to, by the subject of their source: what they have applied, what they are at,
 * what they are pinned to, and what a rollback may bring back.
 * @throws when that cannot be known: then nothing may be deleted
 */
export async function usedRevisions(kube: KubeClient): Promise<Map<string, Set<string>>> {
  const used = new Map<string, Set<string>>()
  for (const kustomization of await listKustomizations(kube)) {
    const subject = sourceOf(kustomization)
    const revisions = used.get(subject) ?? new Set()
    for (const revision of revisionsOf(kustomization)) revisions.add(revision)
    used.set(subject, revisions)
  }
  return used
}

async function listKustomizations(kube: KubeClient): Promise<Kustomization[]> {
  try {
    return (await kube.list(KUSTOMIZATION)) as unknown as Kustomization[]
  } catch (error) {
    if (error instanceof NoMatchError) return []
    throw error
  }
}

function sourceOf({ metadata, spec: { sourceRef } }: Kustomization): string {
  const { kind, name, namespace = metadata.namespace ?? '' } = sourceRef
  return subjects.artifact({ kind, name, namespace })
}

function revisionsOf(kustomization: Kustomization): string[] {
  const { lastAppliedRevision = '', lastAttemptedRevision = '', history = [] } = kustomization.status ?? {}
  const built = history.map(({ metadata }) => metadata?.revision ?? '')
  return [lastAppliedRevision, lastAttemptedRevision, pinnedTo(kustomization), ...built]
}

function pinnedTo(kustomization: Kustomization): string {
  try {
    return readRollback(kustomization)?.revision ?? ''
  } catch {
    return ''
  }
}
