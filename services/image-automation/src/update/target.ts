import type { GitRepository, GitRepositoryRef, ImageUpdateAutomation } from '@setpoint/contracts'
import { ReconcileError, Stalled } from '@setpoint/reconcile'
import type { ImageContext } from '../context.ts'

/** Where an automation reads and writes. */
export interface Target {
  source: GitRepository
  /** What is checked out. */
  ref: GitRepositoryRef
  /** The branch that is pushed to. */
  branch: string
  /** Automations with the same one write to the same branch: one after the other. */
  writer: string
}

export type GitSettings = NonNullable<ImageUpdateAutomation['spec']['git']>

/** @throws Stalled or ReconcileError when there is nothing that can be written to. */
export function targetOf(context: ImageContext, automation: ImageUpdateAutomation): Target {
  const { sourceRef, git } = automation.spec
  const own = automation.metadata.namespace ?? ''
  const namespace = sourceRef.namespace || own
  const key = `${namespace}/${sourceRef.name}`
  if (namespace !== own && !context.allowCrossNamespace)
    throw new Stalled(
      'AccessDenied',
      `GitRepository "${key}" is in another namespace, which --no-cross-namespace-refs forbids`,
    )
  if (git === undefined)
    throw new Stalled('InvalidSourceConfiguration', 'spec.git is missing: say who commits')
  const source = context.sources.get(key)
  if (source === undefined)
    throw new ReconcileError('SourceManagerFailed', `GitRepository "${key}" does not exist`)
  refuseUnbuilt(source, key)
  const ref = git.checkout?.ref ?? source.spec.ref ?? { branch: 'master' }
  const branch = git.push?.branch || ref.branch
  if (branch === undefined || branch === '')
    throw new Stalled(
      'InvalidSourceConfiguration',
      'spec.git.push.branch is missing: what is checked out is no branch',
    )
  return { source, ref, branch, writer: JSON.stringify([source.spec.url, branch]) }
}

/** The key of the writer that an automation belongs to; its own where it has none. */
export function writerOf(context: ImageContext, automation: ImageUpdateAutomation): string {
  try {
    return targetOf(context, automation).writer
  } catch {
    return `automation ${automation.metadata.namespace}/${automation.metadata.name}`
  }
}

/** Ways to log in that nobody has built yet. */
function refuseUnbuilt({ spec }: GitRepository, key: string): void {
  if ((spec.provider ?? 'generic') !== 'generic')
    throw new ReconcileError(
      'SourceManagerFailed',
      `spec.provider of GitRepository "${key}" is not implemented yet`,
    )
}
