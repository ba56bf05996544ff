import { describe, expect, it } from 'vitest'
import { compileTemplate } from './template.ts'
import type { Value } from './value.ts'

const change = (OldValue: string, NewValue: string) => ({ OldValue, NewValue, Setter: 'apps:web:tag' })
const changes = [change('a:1', 'a:2'), change('b:1', 'b:2')]
const object = { Kind: 'Deployment', Name: 'web', Namespace: 'apps' }
const data: Value = {
  AutomationObject: { Name: 'fleet', Namespace: 'apps' },
  Values: new Map([['cluster', 'production']]),
  Changed: {
    FileChanges: new Map<Value, Value>([['web.yaml', new Map<Value, Value>([[object, changes]])]]),
    Objects: new Map<Value, Value>([[object, changes]]),
    Changes: changes,
  },
}
const render = (source: string) => compileTemplate(source).render(data)

describe('a template', () => {
  it.each([
    ['text', 'Update images', 'Update images'],
    ['a field', '{{ .AutomationObject.Namespace }}/{{.AutomationObject.Name}}', 'apps/fleet'],
    ['a key of a map', 'on {{ .Values.cluster }}', 'on production'],
    ['a key that is not there', '{{ .Values.none }}', '<no value>'],
    [
      'a list',
      '{{ range .Changed.Changes }}{{ .OldValue }} -> {{ .NewValue }}\n{{ end }}',
      'a:1 -> a:2\nb:1 -> b:2\n',
    ],
    [
      'println',
      '{{ range .Changed.Changes -}}\n{{ print .OldValue }} -> {{ println .NewValue }}\n{{- end }}',
      'a:1 -> a:2\nb:1 -> b:2\n',
    ],
    [
      'keys and values',
      '{{ range $file, $_ := .Changed.FileChanges -}}\n- {{ $file }}\n{{ end -}}',
      '- web.yaml\n',
    ],
    [
      'nested ranges',
      '{{ range $resource, $changes := .Changed.Objects -}}\n- {{ $resource.Kind }} {{ $resource.Name }}\n{{- range $_, $change := $changes }}\n  - {{ $change.NewValue }}\n{{- end }}\n{{ end -}}',
      '- Deployment web\n  - a:2\n  - b:2\n',
    ],
    ['a choice', '{{ if eq .Values.cluster "production" }}[prod]{{ else }}[dev]{{ end }}', '[prod]'],
    ['a chain of choices', '{{ if .Values.x }}1{{ else if .Values.cluster }}2{{ else }}3{{ end }}', '2'],
    ['with', '{{ with .Values.cluster }}{{ . }}{{ else }}none{{ end }}', 'production'],
    ['an empty range', '{{ range .Values.x }}a{{ else }}none{{ end }}', 'none'],
    ['a variable', '{{ $n := len .Changed.Changes }}{{ $n }} images', '2 images'],
    ['a variable that is set inside', '{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}', '2'],
    [
      'the root inside',
      '{{ range .Changed.Changes }}{{ $.Values.cluster }} {{ end }}',
      'production production ',
    ],
    ['a pipeline', '{{ .Values.cluster | upper | trunc 4 | quote }}', '"PROD"'],
    ['brackets', '{{ (index .Changed.Changes 1).NewValue }}', 'b:2'],
    ['break', '{{ range .Changed.Changes }}{{ .OldValue }}{{ break }}{{ end }}', 'a:1'],
    ['printf', '{{ printf "%s:%d %q %v%%" "a" 3 "b" true }}', 'a:3 "b" true%'],
    [
      'sprig',
      '{{ default "x" .Values.none }} {{ join "," (list 1 2) }} {{ replace "a" "b" "aa" }}',
      'x 1,2 bb',
    ],
    ['a comment', 'a{{/* nothing */ -}}  b', 'ab'],
    ['raw strings and brackets in strings', '{{ `{{x}}` }}{{ "}}" }}', '{{x}}}}'],
    ['comparisons', '{{ and (gt 2 1) (not false) (ne "a" "b") }}', 'true'],
  ])('%s', (_what, source, text) => {
    expect(render(source)).toBe(text)
  })

  it.each([
    ['an action that is not closed', 'a\n{{ .X', 'line 2'],
    ['a block without an end', '{{ if true }}a', 'has no {{end}}'],
    ['an end too many', 'a{{ end }}', 'belongs to nothing'],
    ['an unknown function', '\n{{ env "HOME" }}', 'line 2: there is no function "env"'],
    ['an unknown field', '{{ .Secret }}', 'there is no field .Secret'],
    ['what every object inherits', '{{ .constructor }}', 'there is no field .constructor'],
    ['a prototype function', '{{ toLocaleString }}', 'there is no function'],
    ['a variable that is not declared', '{{ $x }}', '$x is not declared'],
    ['another template', '{{ template "x" }}', 'is not known here'],
    [
      'a text that becomes too long',
      '{{ range list 1 2 3 4 5 6 7 }}{{ repeat 10000 "x" }}{{ end }}',
      'longer than',
    ],
    ['a bracket too many', '{{ (1)) }}', 'bracket'],
    ['nonsense', '{{ ^ }}', 'cannot be read'],
  ])('%s is refused with its place', (_what, source, says) => {
    expect(() => render(source)).toThrow(says)
  })
})
