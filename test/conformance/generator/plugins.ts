import type { FieldMaker } from './fields.ts'

/** Transformers, generators and validators that are configured by objects. */
export const pluginFields: FieldMaker[] = [
  (random) =>
    `transformers:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick([
      'NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  unsetOnly: true',
      'NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  setRoleBindingSubjects: allServiceAccounts\n  fieldSpecs:\n  - {path: metadata/name, kind: Namespace, create: true}',
      'LabelTransformer\n  metadata: {name: t}\n  labels: {via: t}\n  fieldSpecs:\n  - {path: metadata/labels, create: true}',
      'PrefixTransformer\n  metadata: {name: t}\n  prefix: t-\n  fieldSpecs:\n  - {path: metadata/name}',
      'AnnotationsTransformer\n  metadata: {name: t}\n  annotations: {via: t}\n  fieldSpecs:\n  - {path: metadata/annotations, create: true}',
      'ReplicaCountTransformer\n  metadata: {name: t}\n  replica: {name: depweb, count: 7}\n  fieldSpecs:\n  - {path: spec/replicas, create: true, kind: Deployment}',
    ])}\n`,
  (random) =>
    `transformers:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick([
      'ValueAddTransformer\n  metadata: {name: t}\n  value: added\n  targets:\n  - selector: {kind: Widget}\n    fieldPath: spec/added',
      'ImageTagTransformer\n  metadata: {name: t}\n  imageTag: {name: nginx, digest: "sha256:0"}',
      'SuffixTransformer\n  metadata: {name: t}\n  suffix: -t\n  fieldSpecs:\n  - {path: metadata/name, kind: Service}',
      'PatchTransformer\n  metadata: {name: t}\n  target: {kind: Deployment}\n  patch: "- {op: add, path: /spec/t, value: 1}"',
      'ReplacementTransformer\n  metadata: {name: t}\n  replacements:\n  - source: {kind: Service, name: svcweb}\n    targets:\n    - select: {kind: Widget}\n      fieldPaths: [spec.svc]\n      options: {create: true}',
      'HashTransformer\n  metadata: {name: t}',
    ])}\n`,
  (random) =>
    `generators:\n- |-\n  apiVersion: builtin\n  kind: ${random.pick(['ConfigMapGenerator', 'SecretGenerator'])}\n  metadata: {name: plug${random.below(9)}}\n  literals: [a=${random.below(9)}, yes=1]\n${random.chance(0.5) ? '  options: {immutable: true}\n' : ''}`,
  (random) =>
    `validators:\n- |-\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata: {name: v}\n  labels: {team: red}\n  fieldSpecs:\n  - {path: metadata/labels, kind: ${random.pick(['Gadget', 'Nothing', 'Service'])}, create: true}\n`,
]
