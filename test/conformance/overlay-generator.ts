/** A tree of files and the directory to build. */
export interface GeneratedOverlay {
  files: Record<string, string>
  root: string
}

/** Pseudo-random numbers that a seed decides. */
export class Random {
  state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0]
  }

  some<Item>(items: readonly Item[], probability: number): Item[] {
    return items.filter(() => this.chance(probability))
  }
}

const names = ['api', 'db', 'cache', 'queue', 'front', 'batch'] as const

/** A name that an object may have, most often one that there is. */
function reference(random: Random): string {
  return random.chance(0.7) ? 'web' : random.pick(names)
}

const scalars = [
  'text',
  '"quoted"',
  "'5'",
  '5',
  '1.10',
  'true',
  '"true"',
  'yes',
  '"on"',
  '0755',
  '1e3',
  '~',
  'null',
  '',
  '""',
  '2020-01-01',
  '"a: b"',
  '123456789012345',
  '|\n__line one\n__line two\n',
  '"${x} $(VAR)"',
  '$(VAR)-$$(X)',
] as const

/** Composes a base, overlays over it and perhaps a component, from all kinds of fields. */
export function generateOverlay(seed: number): GeneratedOverlay {
  const random = new Random(seed)
  const files: Record<string, string> = {}
  writeBase(random, files, 'base')
  let below = ['../base']
  if (random.chance(0.25)) {
    writeBase(random, files, 'other')
    below = ['../base', '../other']
  }
  const levels = random.below(3)
  for (let level = 0; level < levels; level += 1) {
    const directory = `level${level}`
    writeOverlay(random, files, directory, below)
    below = [`../${directory}`]
  }
  return { files, root: (below[0] ?? '../base').slice(3) }
}

function writeBase(random: Random, files: Record<string, string>, directory: string): void {
  const resources: string[] = []
  if (directory === 'base') {
    files['base/always.yaml'] = alwaysThere.map((make) => make(random)).join('---\n')
    resources.push('always.yaml')
  }
  for (const [at, make] of random.some(resourceMakers, 0.18).entries()) {
    const file = `r${at}.yaml`
    files[`${directory}/${file}`] = make(random)
    resources.push(file)
  }
  const fields = [
    `resources:\n${listOf(['none.yaml', ...resources])}`,
    ...commonFields(random, files, directory),
  ]
  files[`${directory}/none.yaml`] = '# nothing here\n'
  files[`${directory}/kustomization.yaml`] = fields.join('')
}

function writeOverlay(
  random: Random,
  files: Record<string, string>,
  directory: string,
  below: string[],
): void {
  const fields = [`resources:\n${listOf(below)}`]
  if (random.chance(0.2)) {
    const component = commonFields(random, files, `${directory}/component`)
    if (!component.some((field) => field.startsWith('commonAnnotations'))) {
      component.push('commonAnnotations: {component: "yes"}\n')
    }
    files[`${directory}/component/kustomization.yaml`] =
      `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${component.join('')}`
    fields.push('components: [component]\n')
  }
  files[`${directory}/kustomization.yaml`] = [...fields, ...commonFields(random, files, directory)].join('')
}

function listOf(items: string[]): string {
  return items.map((item) => `- ${item}\n`).join('')
}

type Maker = (random: Random) => string

function meta(random: Random, kind: string, name: string = random.pick(names)): string {
  const lines = [`  name: ${kind}${name}`]
  if (random.chance(0.2)) lines.push(`  namespace: ${random.pick(['one', 'two', 'default'])}`)
  if (random.chance(0.3)) lines.push(`  labels:\n    app: ${name}\n    odd: ${inline(random)}`)
  if (random.chance(0.3)) lines.push(`  annotations:\n    note: ${inline(random)}`)
  return `metadata:\n${lines.join('\n')}\n`
}

/** One of the scalars that fit on one line. */
function inline(random: Random): string {
  const scalar = random.pick(scalars)
  return scalar.startsWith('|') ? 'plain' : scalar
}

function block(random: Random, indent: number): string {
  return random.pick(scalars).replaceAll('__', ' '.repeat(indent)).trimEnd()
}

function container(random: Random, indent: number): string {
  const pad = ' '.repeat(indent)
  const lines = [`- name: ${random.pick(['main', 'side', 'log'])}`, `  image: ${random.pick(images)}`]
  if (random.chance(0.5)) {
    lines.push(`  env:`, `  - name: A`, `    value: ${inline(random)}`)
    if (random.chance(0.5))
      lines.push(
        `  - name: B`,
        `    valueFrom:`,
        `      configMapKeyRef: {name: cm${reference(random)}, key: k}`,
      )
    if (random.chance(0.3))
      lines.push(`  - name: C`, `    valueFrom: {secretKeyRef: {name: sec${reference(random)}, key: k}}`)
  }
  if (random.chance(0.4)) lines.push(`  ports:`, `  - containerPort: 80`, `    name: http`)
  else if (random.chance(0.3)) {
    lines.push(
      `  ports:`,
      `  - containerPort: 53`,
      `    protocol: UDP`,
      `  - containerPort: 53`,
      `    protocol: TCP`,
    )
  }
  if (random.chance(0.3)) lines.push(`  args: [--a, "$(VAR)", "5"]`)
  if (random.chance(0.3)) lines.push(`  volumeMounts:`, `  - {name: data, mountPath: /data}`)
  return lines.map((line) => `${pad}${line}\n`).join('')
}

const images = [
  'nginx',
  'nginx:1.0',
  'nginx@sha256:abc',
  'reg.io:5000/app:v1',
  'reg.io:5000/app',
  'busybox:latest',
] as const

function podSpec(random: Random, indent: number): string {
  const pad = ' '.repeat(indent)
  const lines: string[] = [`${pad}spec:\n`, `${pad}  containers:\n`]
  for (let count = 0; count <= random.below(2); count += 1) lines.push(container(random, indent + 2))
  if (random.chance(0.2)) lines.push(`${pad}  initContainers:\n`, container(random, indent + 2))
  if (random.chance(0.3)) lines.push(`${pad}  serviceAccountName: sa${random.pick(names)}\n`)
  if (random.chance(0.4)) {
    lines.push(`${pad}  volumes:\n${pad}  - name: data\n`)
    lines.push(
      random.chance(0.5)
        ? `${pad}    emptyDir: {}\n`
        : `${pad}    configMap:\n${pad}      name: cm${reference(random)}\n`,
    )
  }
  if (random.chance(0.2)) lines.push(`${pad}  imagePullSecrets:\n${pad}  - name: sec${reference(random)}\n`)
  if (random.chance(0.2)) lines.push(`${pad}  tolerations:\n${pad}  - {key: a, operator: Exists}\n`)
  return lines.join('')
}

function workload(apiVersion: string, kind: string, prefix: string): Maker {
  return (random) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\n${meta(random, prefix)}spec:\n` +
    (random.chance(0.5) ? `  replicas: ${1 + random.below(3)}\n` : '') +
    (random.chance(0.6) ? `  selector:\n    matchLabels: {app: x}\n` : '') +
    `  template:\n    metadata:\n      labels: {app: x}\n${podSpec(random, 4)}`
}

const resourceMakers: Maker[] = [
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
    `apiVersion: example.com/v1\nkind: Widget\n${meta(random, 'wid')}spec:\n  size: ${inline(random)}\n  list:\n  - name: a\n    value: ${inline(random)}\n  - name: b\n  map: {k: v}\n`,
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

const alwaysThere: Maker[] = [
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
    `apiVersion: example.com/v1\nkind: Widget\n${meta(random, 'wid', 'web')}spec:\n  size: ${inline(random)}\n  list:\n  - name: a\n    value: ${inline(random)}\n  map: {k: v}\n`,
]

/** The object of a maker, named web. */
function named(random: Random, make: Maker): string {
  return make(random).replace(/^ {2}name: ([a-z]+?)(api|db|cache|queue|front|batch)$/m, '  name: $1web')
}

/** Fields that a base, an overlay or a component may have. */
function commonFields(random: Random, files: Record<string, string>, directory: string): string[] {
  return random.some(fieldMakers, 0.07).map((make) => make(random, files, directory))
}

type FieldMaker = (random: Random, files: Record<string, string>, directory: string) => string

const fieldMakers: FieldMaker[] = [
  (random) => `namespace: ${random.pick(['one', 'three', 'default'])}\n`,
  (random) => `namePrefix: ${random.pick(['a-', 'b-', 'x.'])}\n`,
  (random) => `nameSuffix: ${random.pick(['-a', '-b', '-v2'])}\n`,
  (random) => `commonLabels: {team: ${random.pick(['red', '"5"', 'blue'])}}\n`,
  (random) => `commonAnnotations: {owner: ${random.pick(['me', '"true"', '"multi word"'])}}\n`,
  (random) =>
    `labels:\n- pairs: {tier: ${random.pick(['one', '"1"'])}}\n` +
    random.pick([
      '',
      '  includeSelectors: true\n',
      '  includeTemplates: true\n',
      '  fields:\n  - {path: spec/extra/labels, create: true, kind: Widget}\n',
    ]),
  (random) =>
    `images:\n- name: ${random.pick(['nginx', 'reg.io:5000/app', 'busybox'])}\n` +
    random.pick([
      '  newTag: "2"\n',
      '  newName: mirror/x\n',
      '  digest: sha256:def\n',
      '  newName: other\n  newTag: v3\n',
      '  tagSuffix: -x\n',
      '',
    ]),
  (random) => `replicas:\n- {name: dep${reference(random)}, count: ${random.below(9)}}\n`,
  (random) =>
    `configMapGenerator:\n- name: cm${reference(random)}\n  behavior: ${random.pick(['create', 'merge', 'replace'])}\n  literals: [a=1, c="x y"]\n`,
  (random, files, directory) => {
    files[`${directory}/app.properties`] = 'a=1\nb = 2\n# c\n'
    files[`${directory}/vars.env`] = 'A=1\nB=two words\n\n# comment\nC\n'
    return (
      `configMapGenerator:\n- name: gen${random.pick(names)}\n  files: [app.properties, other=vars.env]\n  envs: [vars.env]\n` +
      random.pick([
        '',
        '  options: {disableNameSuffixHash: true, labels: {x: why}}\n',
        '  options: {immutable: true}\n',
        '  namespace: one\n',
      ])
    )
  },
  (random) =>
    `secretGenerator:\n- name: sec${random.chance(0.5) ? 'web\n  behavior: merge' : `gen${random.below(99)}\n  type: kubernetes.io/tls`}\n  literals: [k=v${random.below(9)}]\n`,
  () => 'generatorOptions: {labels: {made: here}, annotations: {by: generator}}\n',
  (random) => `sortOptions: {order: ${random.pick(['fifo', 'legacy'])}}\n`,
  (random) =>
    `buildMetadata: [${random.pick(['originAnnotations', 'transformerAnnotations', 'originAnnotations, transformerAnnotations'])}]\n`,
  (random, files, directory) => patches(random, files, directory),
  (random, files, directory) => patches(random, files, directory),
  (random, files, directory) => patches(random, files, directory),
  (random) => replacements(random),
  (random) => replacements(random),
  (random) =>
    `vars:\n- name: VAR\n  objref: {apiVersion: ${random.pick(['v1, kind: Service, name: svc', 'apps/v1, kind: Deployment, name: dep'])}web}\n` +
    random.pick([
      '',
      '  fieldref: {fieldPath: metadata.namespace}\n',
      '  fieldref: {fieldPath: "spec.ports[0].port"}\n',
    ]),
  (random) =>
    `transformers:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick([
      'NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  unsetOnly: true',
      'NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  setRoleBindingSubjects: allServiceAccounts\n  fieldSpecs:\n  - {path: metadata/name, kind: Namespace, create: true}',
      'LabelTransformer\n  metadata: {name: t}\n  labels: {via: t}\n  fieldSpecs:\n  - {path: metadata/labels, create: true}',
      'PrefixTransformer\n  metadata: {name: t}\n  prefix: t-\n  fieldSpecs:\n  - {path: metadata/name}',
      'AnnotationsTransformer\n  metadata: {name: t}\n  annotations: {via: t}\n  fieldSpecs:\n  - {path: metadata/annotations, create: true}',
      'ReplicaCountTransformer\n  metadata: {name: t}\n  replica: {name: depweb, count: 7}\n  fieldSpecs:\n  - {path: spec/replicas, create: true, kind: Deployment}',
    ])}\n`,
  (random, files, directory) => {
    files[`${directory}/config.yaml`] = random.pick([
      'nameReference:\n- kind: ConfigMap\n  version: v1\n  fieldSpecs:\n  - {path: spec/size, kind: Widget}\n',
      'varReference:\n- {path: spec/size, kind: Widget}\n- {path: data, kind: ConfigMap}\n',
      'commonAnnotations:\n- {path: spec/map, create: true, kind: Widget}\n',
      'images:\n- {path: spec/size, kind: Widget}\n',
      'namePrefix:\n- {path: spec/map/k, kind: Widget}\n',
    ])
    return 'configurations: [config.yaml]\n'
  },
  (random) => `imageTags:\n- {name: nginx, newTag: "${random.below(9)}"}\n`,
  (random) =>
    `patchesStrategicMerge:\n- |-\n  apiVersion: ${random.pick(['apps/v1\n  kind: Deployment\n  metadata: {name: depweb', 'v1\n  kind: Service\n  metadata: {name: svcweb', 'example.com/v1\n  kind: Widget\n  metadata: {name: widweb'])}, annotations: {old: style}}\n`,
  (random) =>
    `patchesJson6902:\n- target: {group: ${random.pick(['apps, version: v1, kind: Deployment, name: dep', 'example.com, version: v1, kind: Widget, name: wid'])}web}\n  patch: '[{"op": "add", "path": "/spec/added", "value": ${random.pick(['1', '"x"', '{"a": [1.5]}', 'null'])}}]'\n`,
  (random) =>
    `generators:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick(['ConfigMapGenerator', 'SecretGenerator'])}\n  metadata: {name: plug${random.below(9)}}\n  literals: [a=${random.below(9)}, yes=1]\n${random.chance(0.5) ? '  options: {immutable: true}\n' : ''}`,
  (random) =>
    `validators:\n- |-\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata: {name: v}\n  labels: {team: red}\n  fieldSpecs:\n  - {path: metadata/labels, kind: ${random.pick(['Gadget', 'Nothing', 'Service'])}, create: true}\n`,
  (random, files, directory) => {
    const properties = {
      size: { 'x-kubernetes-annotation': '' },
      map: {
        'x-kubernetes-object-ref-api-version': 'v1',
        'x-kubernetes-object-ref-kind': random.pick(['ConfigMap', 'Secret']),
        'x-kubernetes-object-ref-name-key': 'k',
      },
    }
    const type = { kind: {}, apiVersion: {}, metadata: {}, spec: { $ref: 'example.Spec' } }
    files[`${directory}/crd.json`] = JSON.stringify({
      'example.Widget': { Schema: { properties: type } },
      'example.Spec': { Schema: { properties } },
    })
    return 'crds: [crd.json]\n'
  },
  (_random, files, directory) => {
    files[`${directory}/replacement.yaml`] =
      '- source: {kind: Deployment, name: depweb}\n  targets:\n  - select: {kind: Widget}\n    fieldPaths: [spec.map.from, "metadata.annotations.[a/b]"]\n    options: {create: true}\n'
    return 'replacements:\n- path: replacement.yaml\n'
  },
  (random) =>
    `transformers:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick([
      'ValueAddTransformer\n  metadata: {name: t}\n  value: added\n  targets:\n  - selector: {kind: Widget}\n    fieldPath: spec/added',
      'ImageTagTransformer\n  metadata: {name: t}\n  imageTag: {name: nginx, digest: "sha256:0"}',
      'SuffixTransformer\n  metadata: {name: t}\n  suffix: -t\n  fieldSpecs:\n  - {path: metadata/name, kind: Service}',
      'PatchTransformer\n  metadata: {name: t}\n  target: {kind: Deployment}\n  patch: "[{op: add, path: /spec/t, value: 1}]"',
      'ReplacementTransformer\n  metadata: {name: t}\n  replacements:\n  - source: {kind: Service, name: svcweb}\n    targets:\n    - select: {kind: Widget}\n      fieldPaths: [spec.svc]\n      options: {create: true}',
      'HashTransformer\n  metadata: {name: t}',
    ])}\n`,
  (random) =>
    `replacements:\n- sourceValue: ${random.pick(['text', '"5"', 'a:b'])}\n  targets:\n  - select: {kind: ${random.pick(['Widget', 'ConfigMap', 'Deployment'])}}\n    fieldPaths: [${random.pick(['metadata.labels.z', 'spec.z.*.y', 'spec.list.[name=q].v', 'spec.zs.-'])}]\n    options: {create: true}\n`,
  (_random, files, directory) => {
    files[`${directory}/openapi.json`] = JSON.stringify({
      definitions: {
        'com.example.Widget': {
          'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
          properties: { spec: { $ref: '#/definitions/com.example.Spec' } },
        },
        'com.example.Spec': {
          properties: {
            list: {
              type: 'array',
              items: { type: 'object' },
              'x-kubernetes-patch-merge-key': 'name',
              'x-kubernetes-patch-strategy': 'merge',
            },
          },
        },
      },
    })
    return 'openapi: {path: openapi.json}\n'
  },
]

const patchTargets = [
  '{kind: Deployment}',
  '{kind: Deployment|StatefulSet}',
  '{name: depweb}',
  '{name: dep.*}',
  '{labelSelector: "app=web"}',
  '{annotationSelector: "note"}',
  '{kind: Service, namespace: one}',
  '{group: apps, version: v1}',
  '{kind: Widget}',
  '{kind: ConfigMap, name: cm.*}',
] as const

const mergePatches = [
  'metadata: {name: x, labels: {added: yes, odd: null}}\nspec: {replicas: 9}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: patched\n        env:\n        - name: A\n          value: 7\n        - name: Z\n          value: "z"',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n      - name: extra\n        image: extra',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: only',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      volumes:\n      - name: data\n        emptyDir: null\n        hostPath: {path: /x}\n      tolerations:\n      - {key: b}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        ports:\n        - containerPort: 53\n          protocol: UDP\n          name: dns\n        - containerPort: 80\n          protocol: TCP',
  'metadata: {name: x, annotations: {note: 1.50, more: true}}',
  'metadata: {name: x}\n$patch: delete',
  'metadata: {name: x}\nspec:\n  $patch: replace\n  replicas: 1',
  'metadata: {name: x}\nspec: null',
  'metadata: {name: x}\nspec:\n  size: 8\n  list:\n  - name: c\n  map: {k: null, n: {}}',
  'metadata: {name: x}\ndata: {a: 5, b: null, n: "new"}',
  'metadata: {name: x}\nspec:\n  ports:\n  - port: 80\n    targetPort: 8080\n  - port: 443',
  'metadata: {name: x}\nimagePullSecrets:\n- name: more',
] as const

const moreMergePatches = [
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: A\n          $patch: delete\n        - name: B\n          valueFrom: null\n          value: now',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: log\n        $patch: merge\n        image: log',
  'metadata:\n  name: x\n  finalizers: [a/b]\n  ownerReferences:\n  - {uid: u1, name: o}',
  'metadata: {name: x, labels: null}\nspec:\n  template:\n    metadata: {labels: {team: patched, tier: patched}}',
  'metadata: {name: x, labels: {team: patched, tier: patched}, annotations: {owner: patched}}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      containers:\n      - image: no-name\n      - name: main\n        args: [only]',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      imagePullSecrets:\n      - name: first\n      - name: secweb\n      hostAliases:\n      - {ip: 1.2.3.4, hostnames: [a]}\n      topologySpreadConstraints:\n      - {topologyKey: zone, whenUnsatisfiable: DoNotSchedule, maxSkew: 1}',
  'metadata: {name: x}\nspec:\n  ports:\n  - {port: 53, protocol: UDP, name: dns}\n  - {port: 53, protocol: TCP, name: dnst}\n  - {port: 80, $patch: delete}',
  'metadata: {name: x}\nspec:\n  selector: {matchLabels: {$patch: replace, only: this}}',
  'metadata: {name: x}\nspec: {}',
  'metadata: {name: x}\nspec:\n  template:\n    spec:\n      volumes:\n      - $patch: delete\n        name: data\n      containers:\n      - name: side\n        volumeMounts:\n        - {mountPath: /data, $patch: delete}\n        - {mountPath: /new, name: new}',
] as const

const operations = [
  '- {op: add, path: /metadata/annotations/added, value: "x"}',
  '- {op: add, path: /metadata/labels/added, value: "x"}',
  '- {op: replace, path: /spec/replicas, value: 5}',
  '- {op: add, path: /spec/replicas, value: "5"}',
  '- {op: remove, path: /metadata/labels}',
  '- {op: test, path: /kind, value: Deployment}\n- {op: add, path: /spec/paused, value: true}',
  '- {op: add, path: /spec/template/spec/containers/-, value: {name: j, image: nginx}}',
  '- {op: replace, path: /spec/template/spec/containers/0/image, value: "json:1"}',
  '- {op: copy, from: /metadata/name, path: /metadata/annotations/copied}',
  '- {op: move, from: /spec/template, path: /spec/moved}',
  '- {op: remove, path: /spec/template/spec/containers/0}',
  '[{"op": "add", "path": "/metadata/annotations", "value": {"all": "new"}}]',
  '- op: replace\n  path: /metadata/name\n  value: renamed',
  '- op: replace\n  path: /metadata/namespace\n  value: renamed',
] as const

function patches(random: Random, files: Record<string, string>, directory: string): string {
  const entries = Array.from({ length: 1 + random.below(2) }, (_, at) => {
    const isMerge = random.chance(0.6)
    const byName = isMerge && random.chance(0.4)
    const kind = random.pick(['Deployment', 'Service', 'ConfigMap', 'Widget', 'StatefulSet'])
    const prefix =
      { Deployment: 'dep', Service: 'svc', ConfigMap: 'cm', Widget: 'wid', StatefulSet: 'sts' }[kind] ?? ''
    const apiVersion =
      { Deployment: 'apps/v1', StatefulSet: 'apps/v1', Widget: 'example.com/v1' }[kind] ?? 'v1'
    const text = isMerge
      ? `apiVersion: ${apiVersion}\nkind: ${kind}\n${random.pick(random.chance(0.5) ? mergePatches : moreMergePatches).replace('name: x', byName ? `name: ${prefix}web` : 'name: x')}\n`
      : `${random.pick(operations)}\n`
    const target = byName ? '' : `  target: ${random.pick(patchTargets)}\n`
    const options =
      isMerge && random.chance(0.15) ? '  options: {allowNameChange: true, allowKindChange: true}\n' : ''
    if (random.chance(0.5)) {
      files[`${directory}/patch${at}.yaml`] = text
      return `- path: patch${at}.yaml\n${target}${options}`
    }
    return `- patch: |-\n${text.trimEnd().replace(/^/gm, '    ')}\n${target}${options}`
  })
  return `patches:\n${entries.join('')}`
}

const fieldPaths = [
  'metadata.annotations.copied',
  'metadata.labels.copied',
  'spec.template.spec.containers.0.image',
  'spec.template.spec.containers.[name=main].image',
  'spec.template.spec.containers.*.env.[name=A].value',
  'spec.replicas',
  'spec.size',
  'spec.list.[name=a].value',
  'data.a',
  'data.json.x.y',
  'data.conf\\.yaml.x.y',
  'spec.template.metadata.labels',
  'metadata.name',
  'spec.new.deep.field',
] as const

function replacements(random: Random): string {
  const source = random.pick([
    `{kind: Deployment, name: dep${reference(random)}}`,
    `{kind: Service, name: svc${reference(random)}, fieldPath: spec.ports.0.port}`,
    `{kind: ConfigMap, name: cm${reference(random)}, fieldPath: data.b}`,
    `{kind: Widget, fieldPath: spec.size}`,
    `{kind: Widget, name: wid${reference(random)}, fieldPath: spec.map}`,
    `{kind: Deployment, name: dep${reference(random)}, fieldPath: "spec.template.spec.containers.0.image", options: {delimiter: ":", index: 0}}`,
  ])
  const create = random.chance(0.5)
    ? '    options: {create: true}\n'
    : random.chance(0.3)
      ? '    options: {delimiter: ":", index: 1}\n'
      : ''
  const reject = random.chance(0.2) ? '    reject:\n    - {name: depweb}\n' : ''
  const select = random.pick([
    '{kind: Deployment}',
    '{kind: Widget}',
    '{kind: ConfigMap}',
    '{name: depapi}',
    '{kind: Service, name: svc.*}',
  ])
  return `replacements:\n- source: ${source}\n  targets:\n  - select: ${select}\n${reject}    fieldPaths: ["${random.pick(fieldPaths).replaceAll('\\', '\\\\')}"]\n${create}`
}
