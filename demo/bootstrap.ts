import type { KubeClient } from '@setpoint/kube'
import { namespace } from './cluster.ts'

/** Tells a cluster which repository holds its set point: two objects in a namespace. All else is in Git. */
export async function bootstrap(kube: KubeClient, url: string): Promise<void> {
  for (const object of [fleetNamespace, gitRepository(url), rootKustomization]) {
    await kube.apply(object, { fieldManager: 'demo' })
  }
}

const fleetNamespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }

function gitRepository(url: string) {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'fleet', namespace },
    spec: { url, interval: '1m', ref: { branch: 'main' } },
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
