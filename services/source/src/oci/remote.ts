import { readRegistrySecrets, registryAccessOf, withCloudLogin } from '@setpoint/access'
import { parseDuration } from '@setpoint/contracts'
import { Stalled } from '@setpoint/reconcile'
import { type ImageName, parseImageName, RegistryError } from '@setpoint/registry'
import { readSecret, unusable } from '../secret.ts'
import type { OciContext, OciTask, Remote } from './oci-context.ts'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }
const DEFAULT_TIMEOUT = '60s'

/** How the registry of a task is reached. @throws Stalled for an unusable URL; AccessError, CloudError, SourceFailure */
export async function readRemote(context: OciContext, task: OciTask): Promise<Remote> {
  const { spec } = task.object
  const image = parseUrl(spec.url)
  const secrets = await readRegistrySecrets(spec, {
    secret: (reference) => readSecret(context, task, reference),
    account: (name) => readAccount(context, task, name),
  })
  const timeoutMs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT)
  // The timeout is for the whole look, not for each of its calls.
  const signal = AbortSignal.any([task.signal, AbortSignal.timeout(timeoutMs)])
  const call = { timeoutMs, signal }
  const { registry, registryLogins: logins } = context
  const namespace = task.object.metadata.namespace ?? ''
  const way = { image, namespace, logins, registry, call }
  return { image, access: await withCloudLogin(spec, registryAccessOf(spec, image, secrets), way), call }
}

function parseUrl(url: string): ImageName {
  try {
    return parseImageName(url.replace(/^oci:\/\//, ''))
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    throw new Stalled('URLInvalid', `spec.url: ${error.message}`)
  }
}

async function readAccount({ kube }: OciContext, task: OciTask, name: string): Promise<object> {
  const namespace = task.object.metadata.namespace ?? ''
  const account = await kube.get(SERVICE_ACCOUNT, { namespace, name }, { signal: task.signal })
  if (account === undefined) throw unusable(`ServiceAccount "${namespace}/${name}" does not exist`)
  return account
}
