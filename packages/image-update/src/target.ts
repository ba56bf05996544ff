import type { GitRepository, GitRepositoryRef, ImageUpdateAutomation } from '@setpoint/contracts'
import { stalled, UpdateError } from './errors.ts'

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

export interface Sources {
  /** The GitRepository of `namespace/name`. */
  get(key: string): GitRepository | undefined
  allowCrossNamespace: boolean
}

/** @throws UpdateError when there is nothing that can be written to. */
export function targetOf({ metadata, spec }: ImageUpdateAutomation, sources: Sources): Target {
  const { sourceRef, git } = spec
  const own = metadata.namespace ?? ''
  const namespace = sourceRef.namespace || own
  const key = `${namespace}/${sourceRef.name}`
  if (namespace !== own && !sources.allowCrossNamespace)
    throw stalled(
      'AccessDenied',
      `GitRepository "${key}" is in another namespace, which --no-cross-namespace-refs forbids`,
    )
  if (git === undefined) throw stalled('InvalidSourceConfiguration', 'spec.git is missing: say who commits')
  const source = sources.get(key)
  if (source === undefined)
    throw new UpdateError('SourceManagerFailed', `GitRepository "${key}" does not exist`)
  refuseUnbuilt(source, key)
  const ref = git.checkout?.ref ?? source.spec.ref ?? { branch: 'master' }
  const branch = git.push?.branch || ref.branch
  if (branch === undefined || branch === '')
    throw stalled(
      'InvalidSourceConfiguration',
      'spec.git.push.branch is missing: what is checked out is no branch',
    )
  return { source, ref, branch, writer: JSON.stringify([source.spec.url, branch]) }
}

/** Ways to log in that nobody has built yet. */
function refuseUnbuilt({ spec }: GitRepository, key: string): void {
  const { provider = 'generic' } = spec
  if (provider !== 'generic' && provider !== 'github')
    throw new UpdateError(
      'SourceManagerFailed',
      `spec.provider ${provider} of GitRepository "${key}" is not implemented yet`,
    )
}
