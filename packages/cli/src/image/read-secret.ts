import { type SecretValues, secretValues } from '@setpoint/access'
import type { KubeClient } from '@setpoint/kube'
import { CommandError } from '../errors.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }

/** A Secret that an object names; undefined when it names none. @throws CommandError when it does not exist */
export async function readSecret(
  kube: KubeClient,
  namespace: string,
  reference: { name: string } | undefined,
): Promise<SecretValues | undefined> {
  if (reference === undefined || reference.name === '') return undefined
  const name = `${namespace}/${reference.name}`
  const secret = await kube.get(SECRET, { namespace, name: reference.name })
  if (secret === undefined) throw new CommandError(`Secret "${name}" does not exist`)
  return secretValues(name, secret.data)
}
