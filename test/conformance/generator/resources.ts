import { podSpec } from './pods.ts'
import { names, type Random, reference } from './random.ts'
import { block, inline } from './scalars.ts'

/** Writes one object. */
export type Maker = (random: Random) => string

/** Those of which a base takes some. */
export const resourceMakers: Maker[] = [
  workload('apps/v1', 'Deployment', 'dep'),
  workload('apps/v1', 'Deployment', 'dep'),
  workload('apps/v1', 'StatefulSet', 'sts'),
  workload('apps/v1', 'DaemonSet', 'ds'),
  workload('batch/v1', 'Job', 'job'),
  (random) =>
    `apiVersion: batch/v1\nkind: CronJob\n${meta(random, 'cron')}spec:\n  jobTemplate:\n    spec:\n      template:\n${podSpec(random, 8)}`,
  (random) => `apiVersion: v1\nkind: Pod\n${meta(random, 'pod')}${podSpec(random, 0)}`,
  (random) =>
    `apiVersion: v1\nkind: Service\n${meta(random, 'svc')}spec:\n  selector: {app: x}\n  ports:\n  - {port: 80, name: http}\n` +
    (random.chance(0.5) ? '  - {port: 53, protocol: UDP}\n' : ''),
  (random) =>
    `apiVersion: v1\nkind: ConfigMap\n${meta(random, 'cm')}data:\n  a: ${block(random, 4)}\n  b: ${inline(random)}\n` +
    `  json: '{"x": {"y": [1, 2]}, "z": "t"}'\n  conf.yaml: |\n    # comment\n    x:\n      y: 1\n    list: [a, b]\n`,
  (random) => `apiVersion: v1\nkind: Secret\n${meta(random, 'sec')}type: Opaque\ndata: {k: djE=}\n`,
  (random) =>
    `apiVersion: v1\nkind: ServiceAccount\n${meta(random, 'sa')}imagePullSecrets:\n- name: sec${reference(random)}\n`,
  (random) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n${meta(random, 'rb')}roleRef:\n  apiGroup: rbac.authorization.k8s.io\n` +
    `  kind: ${random.pick(['Role', 'ClusterRole'])}\n  name: role${reference(random)}\nsubjects:\n- kind: ServiceAccount\n  name: ${random.pick(['default', 'saweb', 'saapi'])}\n` +
    (random.chance(0.5) ? `  namespace: ${random.pick(['one', 'default'])}\n` : ''),
  (random) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n${meta(random, 'role')}rules:\n- apiGroups: [""]\n  resources: [configmaps]\n  resourceNames: [cm${random.pick(names)}]\n  verbs: [get]\n`,
  (random) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: role${reference(random)}\nrules: []\n`,
  (random) =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: crb${random.pick(names)}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: role${reference(random)}}\nsubjects:\n- {kind: ServiceAccount, name: sa${reference(random)}, namespace: one}\n`,
  (random) =>
    `apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n${meta(random, 'hpa')}spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: dep${reference(random)}}\n  metrics:\n  - type: Resource\n    resource: {name: cpu}\n`,
  (random) =>
    `apiVersion: networking.k8s.io/v1\nkind: Ingress\n${meta(random, 'ing')}spec:\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n      - path: /\n        backend:\n          service: {name: svc${reference(random)}, port: {number: 80}}\n  tls:\n  - {hosts: [a.example.com], secretName: sec${random.pick(names)}}\n`,
  (random) => `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${random.pick(['one', 'two'])}\n`,
  (random) =>
    `apiVersion: policy/v1\nkind: PodDisruptionBudget\n${meta(random, 'pdb')}spec:\n  selector:\n    matchLabels: {app: x}\n  minAvailable: ${inline(random)}\n`,
  (random) =>
    `apiVersion: example.com/v1\nkind: Widget\n${meta(random, 'wid')}spec:\n  size: ${inline(random)}\n  list:\n  - name: a\n    value: ${inline(random)}\n  - name: b\n  map:\n    k: v\n`,
  (random) =>
    `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: cmlist${random.below(50)}\n  data: {a: b}\n`,
  (random) =>
    `apiVersion: admissionregistration.k8s.io/v1\nkind: ${random.pick(['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])}\nmetadata: {name: wh${random.pick(names)}}\nwebhooks:\n- name: a\n  clientConfig: {service: {name: svc${reference(random)}, namespace: ${random.pick(['one', 'default'])}}}\n`,
  (random) =>
    `apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.example.com}\nspec:\n  service: {name: svc${reference(random)}, namespace: ${random.pick(['one', 'default'])}}\n`,
  (random) =>
    `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\nspec:\n  scope: ${random.pick(['Cluster', 'Namespaced'])}\n  conversion: {webhook: {clientConfig: {service: {name: svc${reference(random)}, namespace: default}}}}\n`,
  (random) =>
    `apiVersion: v1\nkind: PersistentVolumeClaim\n${meta(random, 'pvc')}spec: {storageClassName: sc${random.pick(names)}, volumeName: pv${random.pick(names)}}\n---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: sc${random.pick(names)}}\n`,
  (random) =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n${meta(random, 'np')}spec:\n  podSelector: {matchLabels: {app: x}}\n  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: y}}\n    - namespaceSelector: {}\n`,
  (random) =>
    `apiVersion: example.com/v1\nkind: Gadget\nmetadata: &meta {name: gad${random.pick(names)}}\nspec:\n  base: &base {a: ${inline(random)}, b: 2}\n  merged:\n    <<: *base\n    b: ${inline(random)}\n  again: *base\n  brackets: {\n    x: "one\n   two",\n  }\n`,
]

/** Those that patches and references of all overlays count on. */
export const alwaysThere: Maker[] = [
  (random) => named(random, workload('apps/v1', 'Deployment', 'dep')),
  (random) =>
    named(
      random,
      (inner) =>
        `apiVersion: v1\nkind: Service\n${meta(inner, 'svc', 'web')}spec:\n  ports:\n  - {port: 80, name: http}\n`,
    ),
  (random) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cmweb\ndata:\n  a: ${block(random, 4)}\n  b: ${inline(random)}\n` +
    `  json: '{"x": {"y": [1, 2]}, "z": "t"}'\n  conf.yaml: |\n    # comment\n    x:\n      y: 1\n    list: [a, b]\n`,
  () => 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: secweb\ndata: {k: djE=}\n',
  (random) =>
    `apiVersion: example.com/v1\nkind: Widget\n${meta(random, 'wid', 'web')}spec:\n  size: ${inline(random)}\n  list:\n  - name: a\n    value: ${inline(random)}\n  map:\n    k: v\n`,
]

/** The object of a maker, named web. */
function named(random: Random, make: Maker): string {
  return make(random).replace(/^ {2}name: ([a-z]+?)(api|db|cache|queue|front|batch)$/m, '  name: $1web')
}

function meta(random: Random, kind: string, name: string = random.pick(names)): string {
  const lines = [`  name: ${kind}${name}`]
  if (random.chance(0.2)) lines.push(`  namespace: ${random.pick(['one', 'two', 'default'])}`)
  if (random.chance(0.3)) lines.push(`  labels:\n    app: ${name}\n    odd: ${inline(random)}`)
  if (random.chance(0.3)) lines.push(`  annotations:\n    note: ${inline(random)}`)
  return `metadata:\n${lines.join('\n')}\n`
}

function workload(apiVersion: string, kind: string, prefix: string): Maker {
  return (random) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\n${meta(random, prefix)}spec:\n` +
    (random.chance(0.5) ? `  replicas: ${1 + random.below(3)}\n` : '') +
    (random.chance(0.6) ? `  selector:\n    matchLabels: {app: x}\n` : '') +
    `  template:\n    metadata:\n      labels: {app: x}\n${podSpec(random, 4)}`
}
