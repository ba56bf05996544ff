import { AccessError, remoteOf } from '@setpoint/access'
import type { RemoteOptions } from '@setpoint/git'
import { Stalled } from '@setpoint/reconcile'
import { readSecret } from '../secret.ts'
import type { GitContext, GitTask } from './git-context.ts'

/** How the repository of a task is reached. @throws Stalled for an unusable URL; AccessError, CloudError, SourceFailure, GitError */
export async function readRemote(context: GitContext, task: GitTask): Promise<RemoteOptions> {
  const { spec } = task.object
  const { fetchBytes: maxBytes, redirects: maxRedirects, pack: packLimits, allowLinkLocal } = context.limits
  try {
    return await remoteOf(spec, {
      secret: await readSecret(context, task, spec.secretRef),
      proxySecret: await readSecret(context, task, spec.proxySecretRef),
      githubApps: context.githubApps,
      gitLogins: context.gitLogins,
      namespace: task.object.metadata.namespace ?? '',
      limits: { maxBytes, maxRedirects, packLimits, allowLinkLocal },
      signal: task.signal,
    })
  } catch (error) {
    if (error instanceof AccessError && error.code === 'InvalidUrl')
      throw new Stalled('URLInvalid', error.message)
    throw error
  }
}
