import type { SmallCase } from './small-case.ts'

/** How texts are read and written. */
export const yamlCases: SmallCase[] = [
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
      'r.yaml': `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "a\\/b"}}`,
    },
    want: undefined,
  },
  {
    name: 'half of a surrogate pair is no character',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "\\ud83d\\ude00"}}`,
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
  {
    name: 'a blank that does not break stays as it is between quotes',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "x\\u00a0\\u0007"
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "x\u00a0\\a"
`,
  },
  {
    name: 'a text that starts with a byte order mark is escaped to its end',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "\\ufeffab \\u00a0é"
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "\\uFEFF\\x61\\x62\\x20\\_\\xE9"
`,
  },
  {
    name: 'blanks go behind the line breaks of Unicode',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: "x\\u2028y"
  b:
  - "x\\u2029y\\nz"
  - "\\u2028x\\ny"
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  a: 'x\u2028    y'
  b:
  - |-
    x\u2029    y
    z
  - |2-
\u2028    x
    y
`,
  },
  {
    name: 'a key of several lines is written as a block',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  "a\\nb": 1
  "c\\n\\td \\n": {e: f}
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  ? |-
    a
    b
  : 1
  ? "c\\n\\td \\n"
  : e: f
`,
  },
  {
    name: 'a long key is counted in bytes',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé: 1
  ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé: 2
`,
    },
    want: `apiVersion: example.com/v1
kind: Widget
metadata:
  name: w
spec:
  éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé: 1
  ? ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé
  : 2
`,
  },
  {
    name: 'infinity is text in an annotation',
    files: {
      'kustomization.yaml': `resources: [r.yaml]
`,
      'r.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  annotations: {a: .inf, b: .nan}
`,
    },
    want: `apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    a: ".inf"
    b: ".nan"
  name: c
`,
  },
]
