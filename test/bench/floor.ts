import { type KubeObject, parseYaml } from '@setpoint/manifest'
import { fleetFiles } from './fleet.ts'
import { startCluster } from './neighbours.ts'

const NAMESPACE = 'floor'
const IN_FLIGHT = 32

/** Seconds that an API server on this machine takes to be given the objects of the fleet, and nothing else. */
export async function measureFloor(apps: number): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const { kube } = await startCluster(stack)
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const objects = objectsOf(apps).values()
  const work = async () => {
    for (const object of objects) await kube.apply(object, { fieldManager: 'bench' })
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  return (performance.now() - start) / 1000
}

function objectsOf(apps: number): KubeObject[] {
  return Object.entries(fleetFiles(apps))
    .filter(([path]) => !path.endsWith('/kustomization.yaml'))
    .flatMap(([, text]) => parseYaml(text).documents)
    .map(({ value }) => value as unknown as KubeObject)
    .map((object) => ({ ...object, metadata: { ...object.metadata, namespace: NAMESPACE } }))
}
