import { randomBytes } from 'node:crypto'
import type {} from './cluster-setup.ts'
import type { ControlPlane } from './control-plane.ts'
import { kubectlFor, writeKubeconfigFor } from './kubectl.ts'

/** The part of a control plane that tests which share it may use: they must not stop it. */
export type SharedCluster = Pick<ControlPlane, 'kubeconfig' | 'url' | 'caFile' | 'kubectl' | 'kubeconfigFor'>

/** The control plane (with controllers and Setpoint's CRDs) that vitest's `cluster` project started. */
export async function sharedCluster(): Promise<SharedCluster> {
  const { inject } = await import('vitest')
  const provided = inject('setpointCluster')
  if (provided === undefined) {
    throw new Error('no shared control plane: a test that needs one is named *.cluster.test.ts')
  }
  const kubectl = kubectlFor(provided.kubeconfig)
  return {
    ...provided,
    kubectl,
    kubeconfigFor: (serviceAccount) =>
      writeKubeconfigFor(serviceAccount, { ...provided, kubectl, directory: provided.directory }),
  }
}

/** Creates a namespace of its own; disposing of it starts its deletion and does not wait for the end. */
export async function testNamespace(
  cluster: Pick<ControlPlane, 'kubectl'>,
): Promise<AsyncDisposable & { name: string }> {
  const name = `test-${randomBytes(5).toString('hex')}`
  await cluster.kubectl('create', 'namespace', name)
  return {
    name,
    async [Symbol.asyncDispose]() {
      await cluster.kubectl('delete', 'namespace', name, '--wait=false', '--ignore-not-found')
    },
  }
}
