import type { KubeClient, ResourceInfo } from '@setpoint/kube'
import { CommandError } from '../errors.ts'

/** The short names of the kinds that kubectl's users type most; others are given in full. */
const SHORT_NAMES: Record<string, string> = {
  cj: 'cronjobs',
  cm: 'configmaps',
  crd: 'customresourcedefinitions',
  deploy: 'deployments',
  ds: 'daemonsets',
  ep: 'endpoints',
  gitrepo: 'gitrepositories',
  hpa: 'horizontalpodautoscalers',
  ing: 'ingresses',
  ks: 'kustomizations',
  netpol: 'networkpolicies',
  no: 'nodes',
  ns: 'namespaces',
  pdb: 'poddisruptionbudgets',
  po: 'pods',
  pv: 'persistentvolumes',
  pvc: 'persistentvolumeclaims',
  quota: 'resourcequotas',
  rs: 'replicasets',
  sa: 'serviceaccounts',
  sc: 'storageclasses',
  sts: 'statefulsets',
  svc: 'services',
}

/**
 * The kind that a word on the command line means: `deploy`, `deployment`, `Deployment`, `deployments.apps`.
 * @throws CommandError when the cluster serves no such kind.
 */
export async function findKind(kube: KubeClient, word: string): Promise<ResourceInfo> {
  const resources = await kube.resources()
  const found = matchKind(resources, word)
  if (found === undefined) throw new CommandError(`the cluster serves no kind "${word}"`)
  return found
}

/** The core group first, then the order of discovery, as kubectl does. */
export function matchKind(resources: readonly ResourceInfo[], word: string): ResourceInfo | undefined {
  const [name = '', ...groupParts] = word.toLowerCase().split('.')
  const group = groupParts.join('.')
  const wanted = SHORT_NAMES[name] ?? name
  const matches = resources.filter(
    (resource) =>
      (resource.plural === wanted || resource.kind.toLowerCase() === wanted) &&
      (group === '' || resource.group === group),
  )
  return matches.find((resource) => resource.group === '') ?? matches[0]
}
