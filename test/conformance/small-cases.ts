/** One small build for each rule of kustomize that was once missed here; `want` is its answer, undefined where it refuses. */
export interface SmallCase {
  name: string
  files: Record<string, string>
  want: string | undefined
}

export const smallCases: SmallCase[] = [
  {
    name: 'brackets may close left of the block that they stand in',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data: {
  x: y,
  z: w,
}
`,
    },
    want: `apiVersion: v1
data:
  x: "y"
  z: w
kind: ConfigMap
metadata:
  name: a
`,
  },
  {
    name: 'a quoted text may go on left of the block that it stands in',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
    x: "one
  two

  three"
`,
    },
    want: `apiVersion: v1
data:
  x: |-
    one two
    three
kind: ConfigMap
metadata:
  name: a
`,
  },
  {
    name: 'what follows a bracketed document without a separator is not read',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
{"kind": "Other"}
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
  },
  {
    name: 'nothing between brackets is a null until it is printed',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- target: {kind: Widget}
  patch: "{kind: Widget, metadata: {name: w}, spec: {a: , c: e}}"
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {a: , b, c: d}
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  c: e
`,
  },
  {
    name: 'a slash in a JSON string must not be escaped',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml':
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "a\\/b"}}',
    },
    want: undefined,
  },
  {
    name: 'half of a surrogate pair is no character',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml':
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "\\ud83d\\ude00"}}',
    },
    want: undefined,
  },
  {
    name: 'infinity is no JSON number',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {x: .inf}
`,
    },
    want: undefined,
  },
  {
    name: 'an anchor may not contain itself',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: &a [*a]
`,
    },
    want: undefined,
  },
  {
    name: 'a tagged date is a time, and its text in an annotation',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations: {t: !!timestamp 2020-01-01}
data: {t: !!timestamp 2020-01-01}
`,
    },
    want: `apiVersion: v1
data:
  t: "2020-01-01T00:00:00Z"
kind: ConfigMap
metadata:
  annotations:
    t: "2020-01-01"
  name: a
`,
  },
  {
    name: 'a label whose key is a number is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
commonLabels: {"5": x}
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
    },
    want: undefined,
  },
  {
    name: 'an annotation whose key is a boolean is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
commonAnnotations: {"true": x}
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
    },
    want: undefined,
  },
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
    name: 'of two spellings of a field the last by the alphabet counts',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
Resources: []
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
  },
  {
    name: 'a count must fit into 64 bits',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replicas: [{name: w, count: 99999999999999999999}]
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
    name: 'a replacement with an empty list of targets is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements: [{source: {kind: ConfigMap}, targets: []}]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
`,
    },
    want: undefined,
  },
  {
    name: 'a replacement writes no fraction over a whole number',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements: [{source: {kind: Widget, fieldPath: spec.from}, targets: [{select: {kind: Widget}, fieldPaths: [spec.to]}]}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {from: 1.5, to: 1}
`,
    },
    want: undefined,
  },
  {
    name: 'a var reads a null and a date as they are written',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
configurations: [c.yaml]
vars:
- {name: VN, objref: {apiVersion: example.com/v1, kind: Widget, name: w}, fieldref: {fieldPath: spec.n}}
- {name: VD, objref: {apiVersion: example.com/v1, kind: Widget, name: w}, fieldref: {fieldPath: spec.d}}
- {name: VO, objref: {apiVersion: example.com/v1, kind: Widget, name: w}, fieldref: {fieldPath: spec.o}}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {n: null, d: 2020-01-01, o: 010, out: "$(VN) $(VD) $(VO)"}
`,
      'c.yaml': `varReference: [{path: spec/out, kind: Widget}]
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  d: "2020-01-01T00:00:00Z"
  "n": null
  o: 8
  out: null 2020-01-01 10
`,
  },
  {
    name: 'a var reads no hexadecimal number',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
vars: [{name: X, objref: {apiVersion: example.com/v1, kind: Widget, name: w}, fieldref: {fieldPath: spec.x}}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {x: 0x1F}
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
    name: 'a comment in a patch says how a list is merged',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches: [{path: p.yaml}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
items: [b, c]
`,
      'p.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
items: # {"type": "array", "x-kubernetes-patch-strategy": "merge"}
- a
- b
`,
    },
    want: `apiVersion: example.com/v1
items:
- a
- b
- c
kind: Widget
metadata:
  name: w
`,
  },
  {
    name: 'a list of annotations is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations: [x]
`,
    },
    want: undefined,
  },
  {
    name: 'a patch that replaces a whole object changes nothing',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches: [{path: p.yaml}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {a: b}
`,
      'p.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
$patch: replace
spec: {c: d}
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: b
`,
  },
  {
    name: 'a replacement needs a path to create',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements: [{source: {kind: Widget, fieldPath: spec.a}, targets: [{select: {kind: Widget}, fieldPaths: [""], options: {create: true}}]}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {a: b}
`,
    },
    want: undefined,
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
    name: 'a prefix goes before a scalar only',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
namePrefix: p-
configurations: [c.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {a: [b]}
`,
      'c.yaml': `namePrefix: [{path: spec/a, kind: Widget}]
`,
    },
    want: undefined,
  },
  {
    name: 'a count is written over a scalar only',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replicas: [{name: w, count: 2}]
configurations: [c.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec: {a: [b]}
`,
      'c.yaml': `replicas: [{path: spec/a, kind: Widget}]
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
    name: 'nothing between brackets is a null where it is merged into a map without them',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: &a {x: , y: 1}
  b:
    <<: *a
    z: 2
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a:
    x: ""
    "y": 1
  b:
    x: null
    "y": 1
    z: 2
`,
  },
]
