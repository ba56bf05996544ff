import { registryAccessOf, type SecretValues } from '@setpoint/access'
import { parseDuration } from '@setpoint/contracts'
import { Stalled } from '@setpoint/reconcile'
import { type ImageName, parseImageName, RegistryError } from '@setpoint/registry'
import { readSecret, unusable } from '../secret.ts'
import type { OciContext, OciTask, Remote } from './oci-context.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const MAX_PULL_SECRETS = 20
const DEFAULT_TIMEOUT = '60s'

/** How the registry of a task is reached. @throws Stalled for an unusable URL; AccessError, SourceFailure */
export async function readRemote(context: OciContext, task: OciTask): Promise<Remote> {
  const { spec } = task.object
  const image = parseUrl(spec.url)
  const access = registryAccessOf(spec, image, {
    secret: await readSecret(context, task, spec.secretRef),
    pullSecrets: await pullSecrets(context, task, spec.serviceAccountName),
    certSecret: await readSecret(context, task, spec.certSecretRef),
    proxySecret: await readSecret(context, task, spec.proxySecretRef),
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
