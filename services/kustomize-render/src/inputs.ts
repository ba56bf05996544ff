import {
  type Decryption,
  DecryptionError,
  type ReadData,
  readKeys,
  readVariables,
  type Variables,
  VariablesError,
} from '@setpoint/build'
import type { Kustomization } from '@setpoint/contracts'
import type { DataReference, KubeClient } from '@setpoint/kube'
import { type RemoteKeyOptions, remoteKeys } from './remote-keys.ts'

/** What a build takes from the cluster. digest changes when any of it does. */
export interface Inputs {
  variables: Variables | undefined
  decryption: Decryption | undefined
  digest: string
}

export interface InputOptions {
  checkMac: boolean
  ageSecret: { namespace: string; name: string } | undefined
  keys: RemoteKeyOptions
}

/** Reads the variables and the keys of a Kustomization; the reason, when something that it names is missing or bad. */
export async function readInputs(
  kube: KubeClient,
  kustomization: Kustomization,
  options: InputOptions,
): Promise<Inputs | string> {
  const read: ReadData = (kind, key) => kube.get({ group: '', version: 'v1', kind }, key)
  try {
    const decryption = await readKeys(read, kustomization, {
      ...options,
      remote: remoteKeys(kube, kustomization, options.keys),
    })
    const variables = await readVariables(read, kustomization)
    return { variables, decryption, digest: `${variables?.digest ?? ''} ${decryption?.digest ?? ''}` }
  } catch (error) {
    if (error instanceof VariablesError || error instanceof DecryptionError) return error.message
    throw error
  }
}

/** The ConfigMaps and Secrets that a build of this Kustomization reads. */
export function dataReferences({ metadata, spec }: Kustomization, options: InputOptions): DataReference[] {
  const namespace = metadata.namespace ?? ''
  const variables = (spec.postBuild?.substituteFrom ?? []).map(({ kind, name }) => ({
    kind,
    namespace,
    name,
  }))
  return [...variables, ...keyReferences(namespace, spec.decryption, options)]
}

function keyReferences(
  namespace: string,
  decryption: Kustomization['spec']['decryption'],
  { ageSecret }: InputOptions,
): DataReference[] {
  if (decryption === undefined) return []
  const { secretRef } = decryption
  if (secretRef !== undefined) return [{ kind: 'Secret', namespace, name: secretRef.name }]
  return ageSecret === undefined ? [] : [{ kind: 'Secret', ...ageSecret }]
}
