import { type Random, reference } from './random.ts'

/** The field `replacements` with one entry. */
export function replacements(random: Random): string {
  const source = random.pick([
    `{kind: Deployment, name: dep${reference(random)}}`,
    `{kind: Service, name: svc${reference(random)}, fieldPath: spec.ports.0.port}`,
    `{kind: ConfigMap, name: cm${reference(random)}, fieldPath: data.b}`,
    `{kind: Widget, name: widweb, fieldPath: spec.size}`,
    `{kind: Widget, name: wid${reference(random)}, fieldPath: spec.map}`,
    `{kind: Deployment, name: dep${reference(random)}, fieldPath: "spec.template.spec.containers.0.image", options: {delimiter: ":", index: 0}}`,
  ])
  const create = random.chance(0.5)
    ? '    options: {create: true}\n'
    : random.chance(0.3)
      ? '    options: {delimiter: ":", index: 1}\n'
      : ''
  const reject = random.chance(0.2) ? '    reject:\n    - {name: depweb}\n' : ''
  const [select, paths] = random.pick(targets)
  // A map takes the name off an object, and kustomize goes on with what is none.
  const named = source.includes('spec.map') ? paths.filter((path) => path !== 'metadata.name') : paths
  const path = random.chance(0.9) ? random.pick(named as Paths) : 'spec.new.deep.field'
  return `replacements:\n- source: ${source}\n  targets:\n  - select: ${select}\n${reject}    fieldPaths: ["${path.replaceAll('\\', '\\\\')}"]\n${create}`
}

const anyPaths = [
  'metadata.annotations.copied',
  'metadata.labels.copied',
  'metadata.name',
  'metadata.labels',
  'metadata.annotations.[a.b/c]',
] as const

type Paths = readonly [string, ...string[]]

const targets: readonly [[string, Paths], ...[string, Paths][]] = [
  [
    '{kind: Deployment}',
    [
      ...anyPaths,
      'spec.template.spec.containers.0.image',
      'spec.template.spec.containers.[name=main].image',
      'spec.template.spec.containers.*.env.[name=A].value',
      'spec.template.spec.containers.*.name',
      'spec.template.metadata.labels',
      'spec.template.metadata.annotations',
      'spec.replicas',
    ],
  ],
  [
    '{kind: Widget}',
    [
      ...anyPaths,
      'spec.size',
      'spec.list.[name=a].value',
      'spec.list.0',
      'spec.list.-',
      'spec.map',
      'spec.map.k',
    ],
  ],
  [
    '{kind: ConfigMap}',
    [...anyPaths, 'data.a', 'data.new', 'data.json.x.y', 'data.conf\\.yaml.x.y', 'data.conf\\.yaml.n'],
  ],
  ['{name: depapi}', anyPaths],
  ['{kind: Service, name: svc.*}', [...anyPaths, 'spec.ports.0.name', 'spec.ports.*.port', 'spec.selector']],
]
