import { patches } from './patches.ts'
import { pluginFields } from './plugins.ts'
import { names, type Random, reference } from './random.ts'
import { replacements } from './replacements.ts'

/** Fields that a base, an overlay or a component may have. */
export function commonFields(random: Random, files: Record<string, string>, directory: string): string[] {
  return random
    .some([...plainFields, ...fieldsOfWeb, ...pluginFields], 0.07)
    .map((make) => make(random, files, directory))
}

/** Those of them that need no certain object. */
export function plainFieldsOf(random: Random): string[] {
  return random.some(plainFields, 0.2).map((make) => make(random, {}, ''))
}

export type FieldMaker = (random: Random, files: Record<string, string>, directory: string) => string

const plainFields: FieldMaker[] = [
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
]

/** They work on the objects that each base has. */
const fieldsOfWeb: FieldMaker[] = [
  (random) => `replicas:\n- {name: dep${reference(random)}, count: ${random.below(9)}}\n`,
  (random) =>
    `configMapGenerator:\n- name: cm${random.pick(['gen\n  behavior: create', 'web\n  behavior: merge', 'web\n  behavior: replace'])}\n  literals: [a=1, c="x y"]\n`,
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
  (random) =>
    random.pick([
      'generatorOptions: {labels: {made: here}, annotations: {by: generator}}\n',
      'generatorOptions: {disableNameSuffixHash: true}\n',
      'generatorOptions: {immutable: true}\n',
    ]),
  (random) =>
    `namespace: one\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  setRoleBindingSubjects: ${random.pick(['none', 'defaultOnly', 'allServiceAccounts'])}\n`,
  (random) => `replicas:\n- {name: ${random.pick(['stsapi', 'stsdb', 'none', 'depapi'])}, count: 4}\n`,
  (random) =>
    `labels:\n- pairs: {zone: a}\n  includeSelectors: true\n- pairs: {zone: ${random.pick(['b', '"1"'])}, other: c}\n  ${random.pick(['includeTemplates: true', 'fields: [{path: metadata/annotations, create: true}]', 'includeSelectors: false'])}\n`,
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
      '- source: {kind: Deployment, name: depweb}\n  targets:\n  - select: {kind: Widget}\n    fieldPaths: [spec.map.from, "metadata.annotations.[a.b/c]"]\n    options: {create: true}\n'
    return 'replacements:\n- path: replacement.yaml\n'
  },
  (random) =>
    `replacements:\n- sourceValue: ${random.pick(['text', '"5"', 'a:b'])}\n  targets:\n  - select: {kind: ${random.pick(['Widget', 'ConfigMap', 'Deployment'])}}\n    fieldPaths: [${random.pick(['metadata.labels.z', 'metadata.annotations.z', 'spec.list.[name=q].v', 'spec.more.z', random.chance(0.1) ? 'spec.z.*.y' : 'spec.y'])}]\n    options: {create: true}\n`,
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
