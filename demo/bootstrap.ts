import type { KubeClient } from '@setpoint/kube'
import { namespace } from './cluster.ts'
import type { Remote } from './environment.ts'

/** Tells a cluster which repository holds its set point: two objects in a namespace. All else is in Git. */
export async function bootstrap(kube: KubeClient, { url, secret }: Remote): Promise<void> {
  const credentials = secret === undefined ? [] : [secretOf(secret)]
  const repository = gitRepository(url, secret !== undefined)
  for (const object of [fleetNamespace, ...credentials, repository, rootKustomization]) {
    await kube.apply(object, { fieldManager: 'demo' })
  }
}

const fleetNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }

const secretName = 'fleet-ssh'

function secretOf(stringData: Record<string, string>) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: secretName, namespace }, stringData }
}

function gitRepository(url: string, hasSecret: boolean) {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: {
      url,
      interval: '1m',
      ref: { branch: 'main' },
      ...(hasSecret ? { secretRef: { name: secretName } } : {}),
    },
  }
}

const rootKustomization = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'fleet', namespace },
  spec: {
    interval: '10m',
    path: './clusters/demo',
    prune: true,
    wait: true,
    sourceRef: { kind: 'GitRepository', name: 'fleet' },
  },
}
