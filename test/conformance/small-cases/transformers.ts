import type { SmallCase } from './small-case.ts'

/** What changes objects. */
export const transformerCases: SmallCase[] = [
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
    name: 'what a replacement creates has no type, and is text to a var',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- sourceValue: "5"
  targets:
  - select: {kind: Widget}
    fieldPaths: [metadata.labels.z]
    options: {create: true}
vars:
- name: VAR
  objref: {apiVersion: example.com/v1, kind: Widget, name: w}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: 1
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  labels:
    z: "5"
  name: w
spec:
  a: 1
`,
  },
  {
    name: 'an object that lost its name cannot be renamed',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: Widget, name: w, fieldPath: spec}
  targets:
  - select: {kind: Widget}
    fieldPaths: [metadata.name]
transformers:
- |-
  apiVersion: builtin
  kind: PrefixTransformer
  metadata: {name: t}
  prefix: p-
  fieldSpecs: [{path: metadata/name}]
- |-
  apiVersion: builtin
  kind: SuffixTransformer
  metadata: {name: t}
  suffix: -s
  fieldSpecs: [{path: metadata/name}]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: 1
`,
    },
    want: undefined,
  },
  {
    name: 'a replacement in structured text keeps what it does not change as it is written',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- sourceValue: new
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: [data.f.a.b]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  f: |
    ---
    # top
    a:
      b: 'old' # note
      n: 1e3

      e:

    d: 2020-01-01
    w: {x: [a, 'b']}
`,
    },
    want: `apiVersion: v1
data:
  f: |-
    # top
    a:
      b: 'new' # note
      n: 1e3
      e:
    d: 2020-01-01
    w: {x: [a, 'b']}
kind: ConfigMap
metadata:
  name: c
`,
  },
  {
    name: 'a replacement of a map in structured text leaves no key of the old one',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: Widget, fieldPath: spec}
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: [data.f.a]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  f: |
    a:
      b: 1
    c: 0x1f
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec:
  k: "5"
  l:
  - p
  - n: 2
`,
    },
    want: `apiVersion: v1
data:
  f: |-
    a:
      k: "5"
      l:
      - p
      - n: 2
    c: 0x1f
kind: ConfigMap
metadata:
  name: c
---
apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  k: "5"
  l:
  - p
  - "n": 2
`,
  },
  {
    name: 'a replacement may create a field with a name that JavaScript knows',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
labels:
- pairs: {constructor: a}
configMapGenerator:
- name: g
  literals: [toString=1]
replacements:
- sourceValue: v
  targets:
  - select: {kind: Widget}
    fieldPaths: [spec.constructor, spec.valueOf.x]
    options: {create: true}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {a: 1}
`,
    },
    want: `apiVersion: v1
data:
  toString: "1"
kind: ConfigMap
metadata:
  labels:
    constructor: a
  name: g-hhf92hctkm
---
apiVersion: example.com/v1
kind: Widget
metadata:
  labels:
    constructor: a
  name: w
spec:
  a: 1
  constructor: v
  valueOf:
    x: v
`,
  },
  {
    name: 'a patch may add a field with a name that JavaScript knows',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- patch: |-
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: w}
    spec: {constructor: {b: 1}, toString: [x]}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {a: 1}
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: 1
  constructor:
    b: 1
  toString:
  - x
`,
  },
  {
    name: 'a replacement finds no field that only JavaScript knows',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: Widget, fieldPath: spec.toString}
  targets:
  - select: {kind: Widget}
    fieldPaths: [spec.b]
    options: {create: true}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {a: 1}
`,
    },
    want: undefined,
  },
  {
    name: 'a patch with an empty key is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- patch: |-
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: w}
    spec: {"": 1}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {a: 1}
`,
    },
    want: undefined,
  },
  {
    name: 'a patch of a map with an empty key is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- patch: |-
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: w}
    spec: {b: 1}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {"": 1}
`,
    },
    want: undefined,
  },
  {
    name: 'of a repeated annotation the last counts',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
namePrefix: p-
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  annotations:
    a: "1"
    b: x
    a: "2"
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    a: "2"
    b: x
  name: p-c
`,
  },
  {
    name: 'a repeated label is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  labels:
    a: "1"
    a: "2"
`,
    },
    want: undefined,
  },
  {
    name: 'a repeated key in a patch of the data is refused',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- patch: |-
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: c}
    data:
      a: one
      a: two
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: c}
`,
    },
    want: undefined,
  },
  {
    name: 'a number that a replacement writes over a number stays one for a var',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: Service, fieldPath: spec.ports.0.port}
  targets:
  - select: {kind: Service}
    fieldPaths: [spec.ports.*.port]
vars:
- name: VAR
  objref: {apiVersion: v1, kind: Service, name: s}
`,
      'r.yaml': `apiVersion: v1
kind: Service
metadata: {name: s}
spec:
  ports:
  - {port: 80, name: http}
`,
    },
    want: `apiVersion: v1
kind: Service
metadata:
  name: s
spec:
  ports:
  - name: http
    port: 80
`,
  },
  {
    name: 'a JSON patch puts quotes around the texts that need them, and they stay',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
patches:
- target: {kind: Widget}
  patch: |-
    - {op: add, path: /spec/z, value: 1}
- target: {kind: Widget}
  patch: |-
    apiVersion: example.com/v1
    kind: Widget
    metadata: {name: w}
    spec: {a: 8, b: 9}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {a: "x: y", b: "text"}
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "8"
  b: 9
  z: 1
`,
  },
  {
    name: 'a reference that names a namespace means what any object had there at first',
    files: {
      'kustomization.yaml': `resources: [b, other.yaml]
namespace: two
`,
      'other.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: other
  namespace: two
`,
      'b/kustomization.yaml': `resources: [r.yaml]
nameSuffix: -x
`,
      'b/r.yaml': `apiVersion: v1
kind: Service
metadata:
  name: s
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: w
webhooks:
- name: w.example.com
  clientConfig:
    service: {name: s, namespace: two}
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  name: other
  namespace: two
---
apiVersion: v1
kind: Service
metadata:
  name: s-x
  namespace: two
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: w-x
webhooks:
- clientConfig:
    service:
      name: s
      namespace: two
  name: w.example.com
`,
  },
  {
    name: 'a replacement whose source is also a target hands on what became of it',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: ConfigMap, name: a}
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: [metadata.name]
    options: {delimiter: "-", index: 1}
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  name: a-a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b-a-a
`,
  },
  {
    name: 'an empty text that a replacement writes into structured text is nothing in YAML and an empty string in JSON',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
replacements:
- source: {kind: Widget, name: w, fieldPath: spec.size}
  targets:
  - select: {kind: ConfigMap}
    fieldPaths: ["data.conf\\\\.yaml.new", "data.conf\\\\.yaml.was", "data.conf\\\\.yaml.text", data.json.new]
    options: {create: true}
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec:
  size: ""
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  json: '{"a": 1}'
  conf.yaml: |-
    was: ~
    text: x
`,
    },
    want: `apiVersion: v1
data:
  conf.yaml: |-
    was:
    text: ""
    new:
  json: '{"a":1,"new":""}'
kind: ConfigMap
metadata:
  name: c
---
apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  size: ""
`,
  },
]
