import { KubeApiError, type KubeClient } from '@setpoint/kube'
import { CloudError } from './errors.ts'

/** A ServiceAccount whose identity is used instead of the pod's own. */
export interface Account {
  namespace: string
  name: string
}

/** What is known of a ServiceAccount. */
export interface KnownAccount extends Account {
  /** Another one after it was deleted and made again. */
  uid: string
  annotations: Readonly<Record<string, string>>
}

const KIND = { group: '', version: 'v1', kind: 'ServiceAccount' }
/** It is exchanged at once, mostly. */
export const TOKEN_SECONDS = 600

/** Reads a ServiceAccount. @throws CloudError InvalidAccount when it does not exist */
export async function readAccount(
  kube: KubeClient,
  { namespace, name }: Account,
  signal: AbortSignal,
): Promise<KnownAccount> {
  const found = await kube.get(KIND, { namespace, name }, { signal, metadataOnly: true })
  if (found === undefined)
    throw new CloudError('InvalidAccount', `ServiceAccount "${namespace}/${name}" does not exist`)
  const { uid = '', annotations = {} } = found.metadata
  return { namespace, name, uid, annotations }
}

/** A token by which a cloud knows the account, for one audience. @throws CloudError LoginFailed when it is refused */
export async function requestToken(
  kube: KubeClient,
  { namespace, name, uid }: KnownAccount,
  audience: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    // Refused when it is another account by now.
    metadata: { uid },
    spec: { audiences: [audience], expirationSeconds: TOKEN_SECONDS },
  }
  try {
    const answer = await kube.request({ method: 'POST', path, body, signal })
    return (answer as { status: { token: string } }).status.token
  } catch (cause) {
    if (!(cause instanceof KubeApiError)) throw cause
    throw new CloudError('LoginFailed', `no token of ServiceAccount "${namespace}/${name}": ${cause.message}`)
  }
}

/** The value of an annotation that must look like something. @throws CloudError InvalidAccount saying what to write */
export function annotationOf(
  { namespace, name, annotations }: KnownAccount,
  key: string,
  { shape, example }: { shape: RegExp; example: string },
): string | undefined {
  const value = annotations[key]
  if (value === undefined || value === '') return undefined
  if (shape.test(value)) return value
  throw new CloudError(
    'InvalidAccount',
    `annotation ${key} of ServiceAccount "${namespace}/${name}" must be like ${example}`,
  )
}

/** An annotation that must be there. @throws CloudError InvalidAccount */
export function requiredAnnotationOf(
  account: KnownAccount,
  key: string,
  shape: { shape: RegExp; example: string },
): string {
  const value = annotationOf(account, key, shape)
  if (value !== undefined) return value
  throw new CloudError(
    'InvalidAccount',
    `ServiceAccount "${account.namespace}/${account.name}" has no annotation ${key}, such as ${shape.example}`,
  )
}
