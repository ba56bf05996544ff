import { randomBytes } from 'node:crypto'
import { SEALING_KEY_BYTES } from '@setpoint/contracts'
import { KubeApiError, type KubeClient } from '@setpoint/kube'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }

/**
 * The key that seals rendered sets, from the field `key` (base64) of a Secret. Made by whoever comes first when it
 * is missing and RBAC permits it.
 * @throws Error naming the Secret when it is missing and cannot be made, or holds no 32-byte key.
 */
export async function loadSealingKey(
  kube: KubeClient,
  at: { namespace: string; name: string },
): Promise<Uint8Array> {
  const secret = (await kube.get(SECRET, at)) ?? (await createSealingKey(kube, at))
  const data = secret.data as Record<string, string> | undefined
  const key = Buffer.from(data?.key ?? '', 'base64')
  if (key.length !== SEALING_KEY_BYTES)
    throw new Error(
      `Secret ${at.namespace}/${at.name} must hold ${SEALING_KEY_BYTES} random bytes in its field "key"`,
    )
  return key
}

async function createSealingKey(kube: KubeClient, at: { namespace: string; name: string }) {
  const key = randomBytes(SEALING_KEY_BYTES).toString('base64')
  try {
    return await kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: at,
      type: 'Opaque',
      data: { key },
    })
  } catch (error) {
    const existing =
      error instanceof KubeApiError && error.code === 409 ? await kube.get(SECRET, at) : undefined
    if (existing !== undefined) return existing
    throw error
  }
}
