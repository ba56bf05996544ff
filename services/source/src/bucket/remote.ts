import { bucketAccessOf } from '@setpoint/access'
import { parseDuration } from '@setpoint/contracts'
import { readSecret } from '../secret.ts'
import type { BucketContext, BucketTask, Remote } from './bucket-context.ts'

const DEFAULT_TIMEOUT = '60s'

/** How the bucket of a task is reached. @throws SourceFailure, AccessError for an unusable Secret; CloudError */
export async function readRemote(context: BucketContext, task: BucketTask): Promise<Remote> {
  const { spec, metadata } = task.object
  const timeoutMs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT)
  // The timeout is for the whole look, not for each of its calls.
  const signal = AbortSignal.any([task.signal, AbortSignal.timeout(timeoutMs)])
  const access = await bucketAccessOf(spec, {
    secret: await readSecret(context, task, spec.secretRef),
    certSecret: await readSecret(context, task, spec.certSecretRef),
    proxySecret: await readSecret(context, task, spec.proxySecretRef),
    stsSecret: await readSecret(context, task, spec.sts?.secretRef),
    stsCertSecret: await readSecret(context, task, spec.sts?.certSecretRef),
    buckets: context.buckets,
    logins: context.bucketLogins,
    namespace: metadata.namespace ?? '',
    signal,
    timeoutMs,
  })
  return { access, call: { timeoutMs, signal } }
}
