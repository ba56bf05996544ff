import type { FieldSpec } from '../fields/field-spec.ts'

/** Where the kinds hold their pod spec; all others at spec/template/spec. */
export const podSpecPaths: Record<string, string> = {
  Pod: 'spec',
  PodTemplate: 'template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
}

const podKinds = [
  'Pod',
  'PodTemplate',
  'Deployment',
  'ReplicaSet',
  'DaemonSet',
  'StatefulSet',
  'Job',
  'CronJob',
]

function inPods(paths: string[]): FieldSpec[] {
  return podKinds.flatMap((kind) =>
    paths.map((path) => ({
      path: `${podSpecPaths[kind] ?? 'spec/template/spec'}/${path}`,
      kind,
      ...(kind === 'Pod' ? { version: 'v1' } : {}),
    })),
  )
}

const resourceNames: FieldSpec[] = ['Role', 'ClusterRole'].map((kind) => ({
  path: 'rules/resourceNames',
  kind,
}))

function annotationOfIngress(name: string): FieldSpec {
  return { path: `metadata/annotations/${name}`, kind: 'Ingress' }
}

export const referencesToConfigMaps: FieldSpec[] = [
  ...inPods([
    'volumes/configMap/name',
    'containers/env/valueFrom/configMapKeyRef/name',
    'initContainers/env/valueFrom/configMapKeyRef/name',
    'containers/envFrom/configMapRef/name',
    'initContainers/envFrom/configMapRef/name',
    'volumes/projected/sources/configMap/name',
  ]),
  { path: 'spec/configSource/configMap', kind: 'Node' },
  ...resourceNames,
  annotationOfIngress('nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
]

export const referencesToSecrets: FieldSpec[] = [
  ...inPods([
    'volumes/secret/secretName',
    'containers/env/valueFrom/secretKeyRef/name',
    'initContainers/env/valueFrom/secretKeyRef/name',
    'containers/envFrom/secretRef/name',
    'initContainers/envFrom/secretRef/name',
    'imagePullSecrets/name',
    'volumes/projected/sources/secret/name',
  ]),
  { path: 'spec/tls/secretName', kind: 'Ingress' },
  annotationOfIngress('ingress.kubernetes.io\\/auth-secret'),
  annotationOfIngress('nginx.ingress.kubernetes.io\\/auth-secret'),
  annotationOfIngress('nginx.ingress.kubernetes.io\\/auth-tls-secret'),
  { path: 'imagePullSecrets/name', kind: 'ServiceAccount' },
  ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((name) => ({
    path: `parameters/${name}`,
    kind: 'StorageClass',
  })),
  ...resourceNames,
  {
    path: 'spec/template/spec/containers/env/valueFrom/secretKeyRef/name',
    kind: 'Service',
    group: 'serving.knative.dev',
    version: 'v1',
  },
  { path: 'spec/azureFile/secretName', kind: 'PersistentVolume' },
]
