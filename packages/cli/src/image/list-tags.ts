import { DEFAULT_EXCLUSION_LIST, type ImageRepository } from '@setpoint/contracts'
import { compilePatterns } from '@setpoint/image-policy'
import type { KubeClient } from '@setpoint/kube'
import { Keychain, parseDockerConfig, parseImageName, RegistryClient } from '@setpoint/registry'
import { CommandError } from '../errors.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }
const TIMEOUT_MS = 30_000

/** The tags that the registry has now, without those that spec.exclusionList leaves out. @throws CommandError, RegistryError */
export async function listTags(
  kube: KubeClient,
  { metadata, spec }: ImageRepository,
  { signal, now }: { signal: AbortSignal; now(): number },
): Promise<string[]> {
  const image = parseImageName(spec.image)
  const secret = (reference: { name: string } | undefined) =>
    readSecret(kube, metadata.namespace ?? '', reference)
  const login = await secret(spec.secretRef)
  const tls = await secret(spec.certSecretRef)
  const keychain = login === undefined ? new Keychain() : parseDockerConfig(login('.dockerconfigjson') ?? '')
  const [caPem, certPem, keyPem] = ['ca.crt', 'tls.crt', 'tls.key'].map((key) => tls?.(key))
  const access = {
    insecure: spec.insecure,
    credentials: keychain.find(image),
    caPem,
    client: certPem === undefined || keyPem === undefined ? undefined : { certPem, keyPem },
  }
  await using client = new RegistryClient({ now })
  const tags = await client.listTags(image, access, { timeoutMs: TIMEOUT_MS, signal })
  const excluded = compilePatterns(spec.exclusionList ?? [...DEFAULT_EXCLUSION_LIST], 'spec.exclusionList')
  return tags.filter((tag) => !excluded(tag))
}

async function readSecret(kube: KubeClient, namespace: string, reference: { name: string } | undefined) {
  if (reference === undefined) return undefined
  const secret = await kube.get(SECRET, { namespace, name: reference.name })
  if (secret === undefined) throw new CommandError(`Secret "${namespace}/${reference.name}" does not exist`)
  const data = (secret.data ?? {}) as Record<string, string>
  return (key: string) =>
    data[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString('utf8')
}
