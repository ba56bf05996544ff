/** Files by path, and the directories to build. */
export interface Shape {
  name: string
  files: Record<string, string>
  roots: string[]
}

/** One overlay over a base: four files. */
export function small(): Shape {
  return {
    name: 'small overlay (4 files)',
    files: { ...base('base'), ...overlay('prod', '../base', 0) },
    roots: ['prod'],
  }
}

/** Two hundred objects, taken in through three levels, each with a field of its own. */
export function large(): Shape {
  const files: Record<string, string> = {}
  const bases = Array.from({ length: 50 }, (_, at) => `base${at}`)
  for (const [at, name] of bases.entries()) {
    files[`${name}/kustomization.yaml`] = 'resources: [objects.yaml]\n'
    files[`${name}/objects.yaml`] = objects(`app${at}`)
  }
  files['middle/kustomization.yaml'] =
    `resources: [${bases.map((name) => `../${name}`).join(', ')}]\nnamespace: shop\nlabels:\n- pairs: {team: shop}\n  includeSelectors: true\n`
  files['top/kustomization.yaml'] =
    'resources: [../middle]\nnamePrefix: eu-\nimages:\n- {name: nginx, newTag: "1.27"}\npatches:\n- target: {kind: Deployment}\n  patch: "- {op: replace, path: /spec/replicas, value: 3}"\n'
  return { name: 'large overlay (200 objects, 3 levels)', files, roots: ['top'] }
}

/** Ten megabytes of CustomResourceDefinitions in twenty files. */
export function customResourceDefinitions(): Shape {
  const files: Record<string, string> = {}
  const names = Array.from({ length: 20 }, (_, at) => `crd${at}.yaml`)
  for (const [at, name] of names.entries()) files[`crds/${name}`] = definition(at)
  files['crds/kustomization.yaml'] = `resources: [${names.join(', ')}]\ncommonAnnotations: {from: bench}\n`
  return { name: '10 MB of CRDs (20 files)', files, roots: ['crds'] }
}

/** A thousand small overlays over one base. */
export function manyOverlays(count = 1000): Shape {
  const files = base('base')
  const roots = Array.from({ length: count }, (_, at) => `app${at}`)
  for (const [at, root] of roots.entries()) Object.assign(files, overlay(root, '../base', at))
  return { name: `${count} small overlays over one base`, files, roots }
}

function base(directory: string): Record<string, string> {
  return {
    [`${directory}/kustomization.yaml`]:
      'resources: [objects.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [LOG=info, MODE=fast]\n',
    [`${directory}/objects.yaml`]: objects('app'),
  }
}

function overlay(directory: string, below: string, at: number): Record<string, string> {
  return {
    [`${directory}/kustomization.yaml`]: `resources: [${below}]\nnamespace: ns-${at}\nnameSuffix: -n${at}\npatches:\n- path: replicas.yaml\nimages:\n- {name: nginx, newTag: "1.${at}"}\n`,
    [`${directory}/replicas.yaml`]: `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {replicas: ${1 + (at % 5)}}\n`,
  }
}

function objects(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      serviceAccountName: ${name}
      containers:
      - name: web
        image: nginx:1.25
        ports: [{containerPort: 80, name: http}]
        envFrom: [{configMapRef: {name: settings}}]
        resources:
          requests: {cpu: 50m, memory: 64Mi}
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: {app: ${name}}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${name}
spec:
  minAvailable: 1
  selector:
    matchLabels: {app: ${name}}
`
}

function definition(at: number): string {
  const fields = Array.from({ length: 2400 }, (_, field) => property(field)).join('')
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things${at}.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing${at}, plural: things${at}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
${fields}`
}

function property(field: number): string {
  return `          field${field}:
            description: 'Field ${field} says how the controller treats part ${field} of the object, and is optional.'
            type: array
            items:
              type: string
              maxLength: ${field + 1}
`
}
