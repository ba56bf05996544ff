import { readRegistrySecrets, registryAccessOf } from '@setpoint/access'
import { DEFAULT_EXCLUSION_LIST, type ImageRepository } from '@setpoint/contracts'
import { compilePatterns } from '@setpoint/image-policy'
import type { KubeClient } from '@setpoint/kube'
import { parseImageName, RegistryClient } from '@setpoint/registry'
import { CommandError } from '../errors.ts'
import { readSecret } from './read-secret.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const TIMEOUT_MS = 30_000

/**
 * The tags that the registry has now, asked as the service asks, without those that spec.exclusionList leaves out.
 * @throws CommandError, AccessError, RegistryError, PolicyError
 */
export async function listTags(
  kube: KubeClient,
  { metadata, spec }: ImageRepository,
  { signal, now }: { signal: AbortSignal; now(): number },
): Promise<string[]> {
  const image = parseImageName(spec.image)
  const namespace = metadata.namespace ?? ''
  const secrets = await readRegistrySecrets(spec, {
    secret: (reference) => readSecret(kube, namespace, reference),
    account: (name) => readAccount(kube, namespace, name),
  })
  const access = registryAccessOf(spec, image, secrets)
  await using client = new RegistryClient({ now })
  const tags = await client.listTags(image, access, { timeoutMs: TIMEOUT_MS, signal })
  const excluded = compilePatterns(spec.exclusionList ?? [...DEFAULT_EXCLUSION_LIST], 'spec.exclusionList')
  return tags.filter((tag) => !excluded(tag))
}

async function readAccount(kube: KubeClient, namespace: string, name: string): Promise<object> {
  const account = await kube.get(SERVICE_ACCOUNT, { namespace, name })
  if (account === undefined) throw new CommandError(`ServiceAccount "${namespace}/${name}" does not exist`)
  return account
}
