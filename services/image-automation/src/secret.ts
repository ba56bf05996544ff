import { type SecretValues, secretValues } from '@setpoint/access'
import { KubeApiError } from '@setpoint/kube'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageContext } from './context.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }

/**
 * A Secret; undefined when none is named.
 * @throws ReconcileError with the reason, when it does not exist or must not be read.
 */
export async function readSecret(
  context: ImageContext,
  namespace: string,
  reference: { name: string } | undefined,
  { signal, reason }: { signal: AbortSignal; reason: string },
): Promise<SecretValues | undefined> {
  if (reference === undefined || reference.name === '') return undefined
  const name = `${namespace}/${reference.name}`
  const secret = await getSecret(context, { namespace, name: reference.name }, signal, reason)
  if (secret === undefined) throw new ReconcileError(reason, `Secret "${name}" does not exist`)
  return secretValues(name, secret.data)
}

async function getSecret(
  context: ImageContext,
  key: { namespace: string; name: string },
  signal: AbortSignal,
  reason: string,
) {
  try {
    return await context.kube.get(SECRET, key, { signal })
  } catch (cause) {
    if (!(cause instanceof KubeApiError) || cause.code !== 403) throw cause
    throw new ReconcileError(reason, `Secret "${key.namespace}/${key.name}" must not be read`, { cause })
  }
}
