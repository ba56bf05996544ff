import { AccessError, readRegistrySecrets, registryAccessOf, withCloudLogin } from '@setpoint/access'
import type { ImageRepository } from '@setpoint/contracts'
import { ReconcileError } from '@setpoint/reconcile'
import type { CallOptions, ImageName, RegistryAccess } from '@setpoint/registry'
import type { ImageContext } from '../context.ts'
import { readSecret } from '../secret.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const REASON = 'AuthenticationFailed'

/** How the registry of an ImageRepository is reached. @throws ReconcileError for a Secret that cannot be used; CloudError, RegistryError */
export async function readAccess(
  context: ImageContext,
  { metadata, spec }: ImageRepository,
  image: ImageName,
  call: CallOptions & { signal: AbortSignal },
): Promise<RegistryAccess> {
  const { signal } = call
  const namespace = metadata.namespace ?? ''
  const secrets = await readRegistrySecrets(spec, {
    secret: (reference) => readSecret(context, namespace, reference, { signal, reason: REASON }),
    account: (name) => readAccount(context, { namespace, name }, signal),
  })
  try {
    const { registry, registryLogins: logins } = context
    const way = { image, namespace, logins, registry, call }
    return await withCloudLogin(spec, registryAccessOf(spec, image, secrets), way)
  } catch (cause) {
    if (!(cause instanceof AccessError)) throw cause
    throw new ReconcileError(REASON, cause.message, { cause })
  }
}

async function readAccount(
  { kube }: ImageContext,
  key: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<object> {
  const account = await kube.get(SERVICE_ACCOUNT, key, { signal })
  if (account === undefined)
    throw new ReconcileError(REASON, `ServiceAccount "${key.namespace}/${key.name}" does not exist`)
  return account
}
