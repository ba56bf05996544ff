import type { RemoteKeys } from '@setpoint/build'
import type { Account, CloudLogins } from '@setpoint/cloud'
import type { Kustomization } from '@setpoint/contracts'
import { cloudIdentities, SecretKeyServices, type VaultIdentity, vaultLogin } from '@setpoint/kms'
import type { KubeClient } from '@setpoint/kube'

export interface RemoteKeyOptions {
  clouds: CloudLogins
  /** Whether a Kustomization may name a ServiceAccount to ask as. */
  objectLevel: boolean
  /** The ServiceAccount of their namespace for Kustomizations that name none; '' for this service itself. */
  defaultAccount: string
  /** Servers that ServiceAccounts may log in to. */
  vaultConfigMap: { namespace: string; name: string } | undefined
}

/** Key services for a Kustomization: with the credentials of its Secret, else as its account, else as this service. */
export function remoteKeys(
  kube: KubeClient,
  { spec, metadata }: Kustomization,
  options: RemoteKeyOptions,
): RemoteKeys {
  const name = spec.decryption?.serviceAccountName || options.defaultAccount
  const account = name === '' ? undefined : { namespace: metadata.namespace ?? '', name }
  const vault = account === undefined ? undefined : vaultIdentity(kube, account, options)
  return new SecretKeyServices({
    ...cloudIdentities(options.clouds, account),
    ...(vault === undefined ? {} : { hc_vault: vault }),
  })
}

function vaultIdentity(
  kube: KubeClient,
  account: Account,
  { clouds, vaultConfigMap }: RemoteKeyOptions,
): VaultIdentity | undefined {
  if (vaultConfigMap === undefined) return undefined
  return vaultLogin({
    account,
    place: `ConfigMap ${vaultConfigMap.namespace}/${vaultConfigMap.name}`,
    readConfig: async () => {
      const found = await kube.get({ group: '', version: 'v1', kind: 'ConfigMap' }, vaultConfigMap)
      return ((found?.data ?? {}) as Record<string, string>)['config.yaml']
    },
    tokenFor: async (audience, signal) => (await clouds.kubernetes({ account, audience, signal })).token,
  })
}
