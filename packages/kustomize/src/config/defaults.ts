import type { FieldSpec } from '../fields/field-spec.ts'
import { podSpecPaths, referencesToConfigMaps, referencesToSecrets } from './pod-references.ts'
import type { NameReference, TransformerConfig } from './transformer-config.ts'

/** The fields that kustomize 5.8 changes, by default. */
export function defaultConfig(): TransformerConfig {
  return {
    namePrefix: [{ path: 'metadata/name' }],
    nameSuffix: [{ path: 'metadata/name' }],
    namespace: namespaceFields,
    commonLabels: [...selectorFields, ...metadataFields('labels')],
    labels: [],
    templateLabels: metadataFields('labels'),
    commonAnnotations: metadataFields('annotations'),
    nameReference: nameReferences,
    varReference: varFields,
    images: imageFields,
    replicas: ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
      path: 'spec/replicas',
      create: true,
      kind,
    })),
  }
}

const namespaceFields: FieldSpec[] = [
  { path: 'metadata/name', kind: 'Namespace', create: true },
  { path: 'spec/service/namespace', group: 'apiregistration.k8s.io', kind: 'APIService', create: true },
  {
    path: 'spec/conversion/webhook/clientConfig/service/namespace',
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
  },
]

/** Metadata of an object and of the templates in it. */
function metadataFields(field: 'labels' | 'annotations'): FieldSpec[] {
  const template = `spec/template/metadata/${field}`
  const statefulSet = field === 'labels' ? { group: 'apps', kind: 'StatefulSet' } : { kind: 'StatefulSet' }
  const claims = {
    path: 'spec/volumeClaimTemplates[]/metadata/labels',
    create: true,
    group: 'apps',
    kind: 'StatefulSet',
  }
  return [
    { path: `metadata/${field}`, create: true },
    { path: template, create: true, version: 'v1', kind: 'ReplicationController' },
    { path: template, create: true, kind: 'Deployment' },
    { path: template, create: true, kind: 'ReplicaSet' },
    { path: template, create: true, kind: 'DaemonSet' },
    { path: template, create: true, ...statefulSet },
    ...(field === 'labels' ? [claims] : []),
    { path: template, create: true, group: 'batch', kind: 'Job' },
    { path: `spec/jobTemplate/metadata/${field}`, create: true, group: 'batch', kind: 'CronJob' },
    {
      path: `spec/jobTemplate/spec/template/metadata/${field}`,
      create: true,
      group: 'batch',
      kind: 'CronJob',
    },
  ]
}

const affinityPaths = ['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
  `spec/template/spec/affinity/${affinity}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
  `spec/template/spec/affinity/${affinity}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
])

const schedulingFields = ['Deployment', 'StatefulSet'].flatMap((kind) =>
  [...affinityPaths, 'spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels'].map(
    (path) => ({
      path,
      group: 'apps',
      kind,
    }),
  ),
)

const selectorFields: FieldSpec[] = [
  { path: 'spec/selector', create: true, version: 'v1', kind: 'Service' },
  { path: 'spec/selector', create: true, version: 'v1', kind: 'ReplicationController' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'Deployment' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'ReplicaSet' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'DaemonSet' },
  { path: 'spec/selector/matchLabels', create: true, group: 'apps', kind: 'StatefulSet' },
  ...schedulingFields,
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  { path: 'spec/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/ingress/from/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  { path: 'spec/egress/to/podSelector/matchLabels', group: 'networking.k8s.io', kind: 'NetworkPolicy' },
]

const imageFields: FieldSpec[] = ['spec', 'spec/template/spec'].flatMap((pod) =>
  ['containers[]/image', 'initContainers[]/image', 'volumes[]/image/reference'].map((path) => ({
    path: `${pod}/${path}`,
    create: true,
  })),
)

const rbac = 'rbac.authorization.k8s.io'
const webhookKinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']
/** ReplicaSets are not among these in kustomize. */
const accountKinds = [
  'Pod',
  'StatefulSet',
  'Deployment',
  'ReplicationController',
  'CronJob',
  'Job',
  'DaemonSet',
]

function podFields(path: string): FieldSpec[] {
  return accountKinds.map((kind) => ({ path: `${podSpecPaths[kind] ?? 'spec/template/spec'}/${path}`, kind }))
}

const nameReferences: NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
    kind,
    fieldSpecs: [{ path: 'spec/scaleTargetRef/name', kind: 'HorizontalPodAutoscaler' }],
  })),
  { kind: 'ConfigMap', version: 'v1', fieldSpecs: referencesToConfigMaps },
  { kind: 'Secret', version: 'v1', fieldSpecs: referencesToSecrets },
  {
    kind: 'Service',
    version: 'v1',
    fieldSpecs: [
      { path: 'spec/serviceName', kind: 'StatefulSet', group: 'apps' },
      { path: 'spec/rules/http/paths/backend/serviceName', kind: 'Ingress' },
      { path: 'spec/backend/serviceName', kind: 'Ingress' },
      { path: 'spec/rules/http/paths/backend/service/name', kind: 'Ingress' },
      { path: 'spec/defaultBackend/service/name', kind: 'Ingress' },
      { path: 'spec/service/name', kind: 'APIService', group: 'apiregistration.k8s.io' },
      ...webhookKinds.map((kind) => ({
        path: 'webhooks/clientConfig/service',
        kind,
        group: 'admissionregistration.k8s.io',
      })),
    ],
  },
  { kind: 'Role', group: rbac, fieldSpecs: [{ path: 'roleRef/name', kind: 'RoleBinding', group: rbac }] },
  {
    kind: 'ClusterRole',
    group: rbac,
    fieldSpecs: ['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({
      path: 'roleRef/name',
      kind,
      group: rbac,
    })),
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fieldSpecs: [
      ...['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ path: 'subjects', kind, group: rbac })),
      ...podFields('serviceAccountName'),
    ],
  },
  {
    kind: 'PersistentVolumeClaim',
    version: 'v1',
    fieldSpecs: podFields('volumes/persistentVolumeClaim/claimName'),
  },
  {
    kind: 'PersistentVolume',
    version: 'v1',
    fieldSpecs: [
      { path: 'spec/volumeName', kind: 'PersistentVolumeClaim' },
      { path: 'rules/resourceNames', kind: 'ClusterRole' },
    ],
  },
  {
    kind: 'StorageClass',
    version: 'v1',
    group: 'storage.k8s.io',
    fieldSpecs: [
      { path: 'spec/storageClassName', kind: 'PersistentVolume' },
      { path: 'spec/storageClassName', kind: 'PersistentVolumeClaim' },
      { path: 'spec/volumeClaimTemplates/spec/storageClassName', kind: 'StatefulSet' },
    ],
  },
  {
    kind: 'PriorityClass',
    version: 'v1',
    group: 'scheduling.k8s.io',
    fieldSpecs: podFields('priorityClassName'),
  },
  // The group of this one can never match; it stands so in kustomize.
  {
    kind: 'IngressClass',
    version: 'v1',
    group: 'networking.k8s.io/v1',
    fieldSpecs: [{ path: 'spec/ingressClassName', kind: 'Ingress' }],
  },
  {
    kind: 'ValidatingAdmissionPolicy',
    group: 'admissionregistration.k8s.io',
    fieldSpecs: [
      {
        path: 'spec/policyName',
        kind: 'ValidatingAdmissionPolicyBinding',
        group: 'admissionregistration.k8s.io',
      },
    ],
  },
]

const varKinds = ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet']
const containerVarPaths = ['containers', 'initContainers'].flatMap((containers) =>
  ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map((path) => `${containers}/${path}`),
)
const nfsPaths: Record<string, string> = {
  CronJob: 'spec/jobTemplate/spec/template/volumes/nfs/server',
  StatefulSet: 'spec/volumeClaimTemplates/spec/nfs/server',
}

const varFields: FieldSpec[] = [
  ...varKinds.flatMap((kind) => {
    const pod = podSpecPaths[kind] ?? 'spec/template/spec'
    return [
      ...containerVarPaths.map((path) => ({ path: `${pod}/${path}`, kind })),
      { path: nfsPaths[kind] ?? `${pod}/volumes/nfs/server`, kind },
    ]
  }),
  { path: 'spec/template/metadata/annotations', kind: 'Deployment' },
  { path: 'spec/rules/host', kind: 'Ingress' },
  { path: 'spec/tls/hosts', kind: 'Ingress' },
  { path: 'spec/tls/secretName', kind: 'Ingress' },
  { path: 'spec/ports/port', kind: 'Service' },
  { path: 'spec/ports/targetPort', kind: 'Service' },
  { path: 'spec/nfs/server', kind: 'PersistentVolume' },
  { path: 'metadata/labels' },
  { path: 'metadata/annotations' },
]
