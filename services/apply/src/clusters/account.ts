import type { Kustomization } from '@setpoint/contracts'
import { KubeApiError, type KubeClient } from '@setpoint/kube'

const SERVICE_ACCOUNT = { group: '', version: 'v1', kind: 'ServiceAccount' }

/** The service account that a Kustomization's objects are applied as, in its own namespace; undefined: our own identity. */
export function accountOf({ spec }: Kustomization, byDefault: string): string | undefined {
  return spec.serviceAccountName || byDefault || undefined
}

/** The name of an account as a user. */
export function userOf({ metadata }: Kustomization, account: string): string {
  return `system:serviceaccount:${metadata.namespace ?? ''}:${account}`
}

export async function accountExists(
  kube: KubeClient,
  { metadata }: Kustomization,
  account: string,
): Promise<boolean> {
  const key = { namespace: metadata.namespace, name: account }
  try {
    return (await kube.get(SERVICE_ACCOUNT, key, { metadataOnly: true })) !== undefined
  } catch (error) {
    // Who may not look cannot say that it is gone.
    if (error instanceof KubeApiError && error.code === 403) return true
    throw error
  }
}
