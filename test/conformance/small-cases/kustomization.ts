import type { SmallCase } from './small-case.ts'

/** What a kustomization file and its generators may say. */
export const kustomizationCases: SmallCase[] = [
  {
    name: 'a generated key that reads as a number is refused',
    files: {
      'kustomization.yaml': `configMapGenerator: [{name: a, literals: ["5=x"]}]
`,
    },
    want: undefined,
  },
  {
    name: 'a generated key that reads as a word of YAML 1.1 is quoted',
    files: {
      'kustomization.yaml': `configMapGenerator: [{name: a, literals: ["yes=x"]}]
`,
    },
    want: `apiVersion: v1
data:
  "yes": x
kind: ConfigMap
metadata:
  name: a-g8c924cg6k
`,
  },
  {
    name: 'a key that a resource brings is kept',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
commonLabels: {"5": z}
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {"5": x}
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  labels:
    "5": z
  name: a
`,
  },
  {
    name: 'a CustomResourceDefinition under crds is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
crds: [crd.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
      'crd.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: x}
`,
    },
    want: undefined,
  },
  {
    name: 'names that another build noted are previous names',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements: [{source: {name: old, fieldPath: data.x}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.z], options: {create: true}}]}]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    internal.config.kubernetes.io/previousNames: old
    internal.config.kubernetes.io/previousNamespaces: default
    internal.config.kubernetes.io/previousKinds: ConfigMap
data: {x: y}
`,
    },
    want: `apiVersion: v1
data:
  x: "y"
  z: "y"
kind: ConfigMap
metadata:
  name: a
`,
  },
  {
    name: 'an empty text over a number in structured text keeps the tag of the number',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements: [{source: {kind: Widget, fieldPath: spec.m}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.y.a]}]}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {m: {a: b}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
  y: |
    a: 5
    b: c # d
`,
    },
    want: `apiVersion: v1
data:
  "y": |-
    a: !!int
    b: c # d
kind: ConfigMap
metadata:
  name: a
---
apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  m:
    a: b
`,
  },
  {
    name: 'a configuration file may not repeat a key',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
configurations: [c.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
`,
      'c.yaml': `namePrefix: []
namePrefix: []
`,
    },
    want: undefined,
  },
  {
    name: 'a field spec without a path is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
transformers:
- |-
  {apiVersion: builtin, kind: LabelTransformer, metadata: {name: t}, labels: {a: b}, fieldSpecs: [{kind: Widget}]}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
`,
    },
    want: undefined,
  },
  {
    name: 'a block whose first line starts with a tab is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  a: |
    	x
`,
    },
    want: undefined,
  },
  {
    name: 'a block whose first line starts with a tab is refused even where it says how far it is indented',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  a: |2-
    	x
`,
    },
    want: undefined,
  },
]
