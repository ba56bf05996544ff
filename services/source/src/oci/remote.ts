import { parseDuration } from '@setpoint/contracts'
import { Stalled } from '@setpoint/reconcile'
import { accessFromSecrets, type ImageName, parseImageName, RegistryError } from '@setpoint/registry'
import { readSecret, type SecretValues, unusable } from '../secret.ts'
import type { OciContext, OciTask, Remote } from './oci-context.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const MAX_PULL_SECRETS = 20
const DEFAULT_TIMEOUT = '60s'

/** How the registry of a task is reached. @throws Stalled for an unusable URL, SourceFailure for an unusable Secret */
export async function readRemote(context: OciContext, task: OciTask): Promise<Remote> {
  const { spec } = task.object
  const image = parseUrl(spec.url)
  const secret = await readSecret(context, task, spec.secretRef)
  const access = usable(image, {
    insecure: spec.insecure === true,
    dockerConfigs: [
      ...(secret === undefined ? [] : [secret]),
      ...(await pullSecrets(context, task, spec.serviceAccountName)),
    ],
    tls: await readSecret(context, task, spec.certSecretRef),
    proxy: await readSecret(context, task, spec.proxySecretRef),
  })
  const timeoutMs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT)
  // The timeout is for the whole look, not for each of its calls.
  const signal = AbortSignal.any([task.signal, AbortSignal.timeout(timeoutMs)])
  return { image, access, call: { timeoutMs, signal } }
}

function parseUrl(url: string): ImageName {
  try {
    return parseImageName(url.replace(/^oci:\/\//, ''))
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    throw new Stalled('URLInvalid', `spec.url: ${error.message}`)
  }
}

function usable(image: ImageName, secrets: Parameters<typeof accessFromSecrets>[1]) {
  try {
    return accessFromSecrets(image, secrets)
  } catch (error) {
    if (error instanceof RegistryError) throw unusable(error.message)
    throw error
  }
}

/** The Secrets that a ServiceAccount pulls images with. */
async function pullSecrets(
  context: OciContext,
  task: OciTask,
  name: string | undefined,
): Promise<SecretValues[]> {
  if (name === undefined || name === '') return []
  const namespace = task.object.metadata.namespace ?? ''
  const account = await context.kube.get(SERVICE_ACCOUNT, { namespace, name }, { signal: task.signal })
  if (account === undefined) throw unusable(`ServiceAccount "${namespace}/${name}" does not exist`)
  const references = Array.isArray(account.imagePullSecrets) ? account.imagePullSecrets : []
  const secrets: SecretValues[] = []
  for (const reference of references.filter(isReference).slice(0, MAX_PULL_SECRETS)) {
    const secret = await readSecret(context, task, reference)
    if (secret !== undefined) secrets.push(secret)
  }
  return secrets
}

function isReference(value: unknown): value is { name: string } {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
}
