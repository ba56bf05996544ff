import { proxyOf, type SecretValues, tlsOf } from '@setpoint/access'
import type { BucketAccess } from '@setpoint/bucket'
import { parseDuration } from '@setpoint/contracts'
import { readSecret, unusable } from '../secret.ts'
import type { BucketContext, BucketTask, Remote } from './bucket-context.ts'

const DEFAULT_TIMEOUT = '60s'

/** How the bucket of a task is reached. @throws SourceFailure, AccessError for an unusable Secret */
export async function readRemote(context: BucketContext, task: BucketTask): Promise<Remote> {
  const { spec } = task.object
  const access: BucketAccess = {
    endpoint: spec.endpoint,
    bucket: spec.bucketName,
    region: spec.region || undefined,
    insecure: spec.insecure === true,
    credentials: toCredentials(await readSecret(context, task, spec.secretRef)),
    ...tlsOf(await readSecret(context, task, spec.certSecretRef)),
    proxy: proxyOf(await readSecret(context, task, spec.proxySecretRef)),
  }
  const timeoutMs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT)
  // The timeout is for the whole look, not for each of its calls.
  const signal = AbortSignal.any([task.signal, AbortSignal.timeout(timeoutMs)])
  return { access, call: { timeoutMs, signal } }
}

function toCredentials(secret: SecretValues | undefined): BucketAccess['credentials'] {
  if (secret === undefined) return undefined
  const [accessKeyId, secretAccessKey] = [secret.get('accesskey'), secret.get('secretkey')]
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unusable(`Secret "${secret.name}" must have both accesskey and secretkey`)
  return { accessKeyId, secretAccessKey }
}
