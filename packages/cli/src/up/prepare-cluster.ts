import { KubeApiError, type KubeClient } from '@setpoint/kube'
import { installCrds } from './install-crds.ts'

const NAMESPACE = { group: '', version: 'v1', kind: 'Namespace' }
const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' }
const FLUX_CONTROLLERS = ['source-controller', 'kustomize-controller']

/** Installs what the services need in the cluster: the CRDs and the namespace. */
export async function prepareCluster(
  kube: KubeClient,
  namespace: string,
  tell: (line: string) => void,
): Promise<void> {
  const changed = await installCrds(kube)
  if (changed.length > 0) tell(`installed ${changed.join(', ')}`)
  await ensureNamespace(kube, namespace)
  const rivals = await runningFlux(kube)
  if (rivals.length > 0)
    tell(
      `warning: Flux runs in this cluster too (${rivals.join(', ')}); both will reconcile the same objects`,
    )
}

async function ensureNamespace(kube: KubeClient, name: string): Promise<void> {
  if ((await kube.get(NAMESPACE, { name })) !== undefined) return
  try {
    await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  } catch (error) {
    if (!(error instanceof KubeApiError && error.code === 409)) throw error
  }
}

/** Flux's own controllers that run here, as `namespace/name`. */
export async function runningFlux(kube: KubeClient): Promise<string[]> {
  const deployments = await kube.list(DEPLOYMENT, { labelSelector: 'app.kubernetes.io/part-of=flux' })
  return deployments
    .filter(({ metadata }) => FLUX_CONTROLLERS.includes(metadata.name))
    .filter((deployment) => (deployment.spec as { replicas?: number }).replicas !== 0)
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}
