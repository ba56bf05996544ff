import { type CustomResourceDefinition, customResourceDefinitions } from '@setpoint/contracts'
import { KubeApiError, type KubeClient } from '@setpoint/kube'
import { isEstablished } from '../up/install-crds.ts'
import { runningFlux } from '../up/prepare-cluster.ts'
import { type Check, type Finding, failed, ok, type Patient, warning } from './check.ts'

const CRD = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' }
const INSTALL = 'install them with `setpoint up`, the Helm chart, or kubectl apply -f charts/setpoint/crds'

/** The API server answers. Thrown errors are its finding, for nothing else can be looked at without it. */
export const checkApiServer: Check = async ({ kube }) => {
  const version = (await kube.request({ method: 'GET', path: '/version' })) as { gitVersion?: string }
  return [ok('API server', `Kubernetes ${version.gitVersion ?? '(no version)'} at ${kube.server}`)]
}

/** The CRDs are there, served, and those of this version. */
export const checkCrds: Check = async ({ kube }) =>
  Promise.all(customResourceDefinitions().map((definition) => checkCrd(kube, definition)))

async function checkCrd(kube: KubeClient, definition: CustomResourceDefinition): Promise<Finding> {
  const { name } = definition.metadata
  const check = `CRD ${name.split('.')[0]}`
  const live = await kube.get(CRD, { name })
  if (live === undefined) return failed(check, 'is not installed', INSTALL)
  if (!isEstablished(live)) return failed(check, 'is not established', `see kubectl describe crd ${name}`)
  const version = live.metadata.labels?.['app.kubernetes.io/version'] ?? 'unknown version'
  const current = await isCurrent(kube, definition, live.metadata.generation)
  if (current === undefined) return ok(check, `installed (${version}); no permission to compare it`)
  return current
    ? ok(check, `installed and current (${version})`)
    : warning(check, `differs from that of this version (it is ${version})`, INSTALL)
}

/** A dry run of our definition would change nothing. undefined: the user may not even try. */
async function isCurrent(
  kube: KubeClient,
  definition: CustomResourceDefinition,
  generation: number | undefined,
): Promise<boolean | undefined> {
  try {
    const after = await kube.apply(definition, { fieldManager: 'setpoint', dryRun: true })
    return after.metadata.generation === generation
  } catch (error) {
    if (error instanceof KubeApiError && error.code === 403) return undefined
    throw error
  }
}

/** Two engines on the same objects write each other's statuses. */
export const checkFlux: Check = async ({ kube }: Patient) => {
  const rivals = await runningFlux(kube)
  if (rivals.length === 0) return []
  return [
    warning(
      'Flux',
      `its controllers run here too: ${rivals.join(', ')}`,
      'scale them to 0: both reconcile the same objects',
    ),
  ]
}
