import { AccessError, registryAccessOf, type SecretValues } from '@setpoint/access'
import type { ImageRepository } from '@setpoint/contracts'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageName, RegistryAccess } from '@setpoint/registry'
import type { ImageContext } from '../context.ts'
import { readSecret } from '../secret.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const REASON = 'AuthenticationFailed'
const MAX_PULL_SECRETS = 20

/** How the registry of an ImageRepository is reached. @throws ReconcileError for a Secret that cannot be used */
export async function readAccess(
  context: ImageContext,
  { metadata, spec }: ImageRepository,
  image: ImageName,
  signal: AbortSignal,
): Promise<RegistryAccess> {
  const namespace = metadata.namespace ?? ''
  const secret = (reference: { name: string } | undefined) =>
    readSecret(context, namespace, reference, { signal, reason: REASON })
  const secrets = {
    secret: await secret(spec.secretRef),
    pullSecrets: await pullSecrets(context, namespace, spec.serviceAccountName, signal),
    certSecret: await secret(spec.certSecretRef),
    proxySecret: await secret(spec.proxySecretRef),
  }
  try {
    return registryAccessOf(spec, image, secrets)
  } catch (cause) {
    if (!(cause instanceof AccessError)) throw cause
    throw new ReconcileError(REASON, cause.message, { cause })
  }
}

/** The imagePullSecrets of a ServiceAccount. */
async function pullSecrets(
  context: ImageContext,
  namespace: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<SecretValues[]> {
  if (name === undefined || name === '') return []
  const account = await context.kube.get(SERVICE_ACCOUNT, { namespace, name }, { signal })
  if (account === undefined)
    throw new ReconcileError(REASON, `ServiceAccount "${namespace}/${name}" does not exist`)
  const references = Array.isArray(account.imagePullSecrets) ? account.imagePullSecrets : []
  const found: SecretValues[] = []
  for (const reference of references.filter(isReference).slice(0, MAX_PULL_SECRETS)) {
    const secret = await readSecret(context, namespace, reference, { signal, reason: REASON })
    if (secret !== undefined) found.push(secret)
  }
  return found
}

function isReference(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}
