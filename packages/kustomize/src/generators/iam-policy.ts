import { BuildError } from '../build-error.ts'
import type { Scopes } from '../merge/schema.ts'
import { Resource, type ResourceSource } from '../resource/resource.ts'
import { stringValue, type ValueMap } from '../value.ts'

export interface IamPolicyArgs {
  cloud?: string
  kubernetesService?: { namespace?: string; name?: string }
  serviceAccount?: { name?: string; projectId?: string }
}

/** The ServiceAccount that stands for an account of Google's cloud. */
export function generateIamPolicy(args: IamPolicyArgs, scopes: Scopes, source: ResourceSource): Resource {
  if (args.cloud !== 'gke')
    throw new BuildError('bad-value', `'${args.cloud ?? ''}' is not supported; use gke`, { field: 'cloud' })
  const { name = '', namespace = '' } = args.kubernetesService ?? {}
  const account = `${args.serviceAccount?.name ?? ''}@${args.serviceAccount?.projectId ?? ''}.iam.gserviceaccount.com`
  const metadata: ValueMap = {
    annotations: { 'iam.gke.io/gcp-service-account': account },
    name: stringValue(name),
  }
  if (namespace !== '') metadata.namespace = stringValue(namespace)
  return new Resource({ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, scopes, source)
}
