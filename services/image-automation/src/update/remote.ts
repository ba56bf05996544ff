import { remoteOf } from '@setpoint/access'
import type { GitRepository } from '@setpoint/contracts'
import type { RemoteOptions } from '@setpoint/git'
import type { ImageContext } from '../context.ts'
import { readSecret } from '../secret.ts'

const REASON = 'SourceManagerFailed'

/** How a GitRepository is read and written, with the Secrets that it names. @throws ReconcileError, AccessError, GitError */
export async function readRemote(
  context: ImageContext,
  { metadata, spec }: GitRepository,
  signal: AbortSignal,
): Promise<RemoteOptions> {
  const secret = (reference: { name: string } | undefined) =>
    readSecret(context, metadata.namespace ?? '', reference, { signal, reason: REASON })
  return remoteOf(spec, {
    secret: await secret(spec.secretRef),
    proxySecret: await secret(spec.proxySecretRef),
    githubApps: context.githubApps,
    gitLogins: context.gitLogins,
    namespace: metadata.namespace ?? '',
    limits: context.gitLimits,
    signal,
  })
}
