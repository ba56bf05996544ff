import { describe, expect, it } from 'vitest'
import { build, createParseCache, type FileSource, memoryFiles, printResources } from './index.ts'

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: "1"\n'
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: main
        image: nginx:1.0
        env:
        - name: SIZE
          value: "1"
        envFrom:
        - configMapRef: {name: web}
`

function render(files: Record<string, string>, root = ''): string {
  const { resources, problems } = build(memoryFiles(files), root)
  expect(problems).toEqual([])
  return printResources(resources)
}

function problemOf(files: Record<string, string>, root = '') {
  const { resources, problems } = build(memoryFiles(files), root)
  expect(resources).toEqual([])
  return problems[0]
}

describe('a build', () => {
  it('takes in bases and fixes references to names that change', () => {
    const text = render(
      {
        'base/kustomization.yaml':
          'resources: [web.yaml]\nconfigMapGenerator: [{name: web, literals: [a=1]}]',
        'base/web.yaml': deployment,
        'prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: p-\nnamespace: prod',
      },
      'prod',
    )
    const [, name = ''] = /name: (p-web-[a-z0-9]{10})\n/.exec(text) ?? []
    expect(text).toContain(`configMapRef:\n            name: ${name}`)
    expect(text).toContain('  name: p-web\n  namespace: prod\n')
  })

  it('says where each object comes from', () => {
    const { resources } = build(
      memoryFiles({
        'kustomization.yaml': 'resources: [a.yaml]',
        'a.yaml': `---\n${configMap}---\n# two\n${deployment}`,
      }),
      '',
      { reorder: 'none' },
    )
    expect(resources.map(({ source }) => source)).toEqual([
      { file: 'a.yaml', line: 2 },
      { file: 'a.yaml', line: 10 },
    ])
  })

  it('keeps the text of annotations, and a string where a number is patched over one', () => {
    const text = render({
      'kustomization.yaml':
        'resources: [web.yaml]\npatches: [{path: patch.yaml}]\ncommonAnnotations: {by: me}',
      'web.yaml': deployment.replace('name: web\nspec', 'name: web\n  annotations: {version: 1.10}\nspec'),
      'patch.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: main, env: [{name: SIZE, value: 2}]}]}}}',
    })
    expect(text).toContain('version: "1.10"')
    expect(text).toContain('value: "2"')
  })

  it('changes a label in all the fields to which one transformer added it', () => {
    const text = render(
      {
        'base/kustomization.yaml': 'resources: [web.yaml]\ncommonLabels: {env: base}',
        'base/web.yaml': deployment,
        'prod/kustomization.yaml': 'resources: [../base]\nlabels: [{pairs: {env: prod}}]',
      },
      'prod',
    )
    expect(text).not.toContain('env: base')
  })

  it('keeps long integers exact', () => {
    const text = render({
      'kustomization.yaml': 'resources: [a.yaml]',
      'a.yaml':
        'apiVersion: example.com/v1\nkind: Big\nmetadata: {name: a}\nspec: {size: 12345678901234567890}',
    })
    expect(text).toContain('size: 12345678901234567890')
  })
})

describe('reads', () => {
  const files = {
    'base/kustomization.yaml': 'resources: [web.yaml]',
    'base/web.yaml': configMap,
    'prod/kustomization.yaml': 'resources: [../base, missing.yaml]',
    'unrelated.yaml': configMap,
  }

  it('names files that were read and files that were looked for in vain', () => {
    const { reads, problems } = build(memoryFiles(files), 'prod')
    expect(problems).toHaveLength(1)
    expect(reads).toEqual([
      'base/Kustomization',
      'base/kustomization.yaml',
      'base/kustomization.yml',
      'base/web.yaml',
      'prod/Kustomization',
      'prod/kustomization.yaml',
      'prod/kustomization.yml',
      'prod/missing.yaml',
    ])
  })

  it('are the same when every parse comes from the cache', () => {
    const withIds: FileSource = { ...memoryFiles(files), id: (path) => `id of ${path}` }
    const cache = createParseCache()
    const first = build(withIds, 'base', { cache })
    expect(build(withIds, 'base', { cache })).toEqual(first)
    expect(cache.size).toBeGreaterThan(0)
  })

  it('follow symbolic links inside the tree, and name the link', () => {
    const memory = memoryFiles({ 'kustomization.yaml': 'resources: [link.yaml]', 'real/a.yaml': configMap })
    const linked: FileSource = {
      ...memory,
      kind: (path) => (path === 'link.yaml' ? 'symlink' : memory.kind(path)),
      readlink: () => 'real/a.yaml',
    }
    const { resources, reads } = build(linked, '')
    expect(resources).toHaveLength(1)
    expect(reads).toContain('link.yaml')
    expect(reads).toContain('real/a.yaml')
  })
})

describe('a cached parse', () => {
  it('is not changed by a build', () => {
    const withIds: FileSource = {
      ...memoryFiles({
        'a/kustomization.yaml': 'resources: [web.yaml]\nnamePrefix: x-',
        'a/web.yaml': configMap,
      }),
      id: (path) => path,
    }
    const cache = createParseCache()
    const once = printResources(build(withIds, 'a', { cache }).resources)
    expect(printResources(build(withIds, 'a', { cache }).resources)).toBe(once)
  })
})

describe('bad input', () => {
  it.each([
    ['invalid YAML', { 'a.yaml': 'a: 1\nb: [1\n' }, { code: 'bad-yaml', file: 'a.yaml', line: 3 }],
    ['a repeated key', { 'a.yaml': `${configMap}data: {}\n` }, { code: 'bad-yaml', file: 'a.yaml', line: 7 }],
    [
      'a resource without a kind',
      { 'a.yaml': 'metadata: {name: a}\n' },
      { code: 'bad-value', field: 'kind' },
    ],
    ['two objects of one id', { 'a.yaml': `${configMap}---\n${configMap}` }, { code: 'conflict', line: 8 }],
    ['a missing file', {}, { code: 'file-not-found', file: 'kustomization.yaml', field: 'resources[0]' }],
  ])('%s is named with its place', (_name, files, expected) => {
    const all: Record<string, string> = { 'kustomization.yaml': 'resources: [a.yaml]' }
    expect(problemOf({ ...all, ...files })).toMatchObject(expected)
  })

  it.each([
    [
      'an unknown field, with the nearest name',
      'resourses: [a.yaml]',
      /unknown field "resourses"; did you mean "resources"\?/,
    ],
    ['a wrong type', 'namePrefix: [a]', /must be a string, not a list/],
    [
      'a remote base',
      'resources: ["https://example.com/x?ref=v1"]',
      /remote bases and files are not fetched/,
    ],
    ['a remote Git base', 'resources: [github.com/org/repo//dir]', /remote bases and files are not fetched/],
    ['a Helm chart', 'helmCharts: [{name: x}]', /Helm charts are not rendered/],
    ['a file outside of the root', 'resources: [../secret.yaml]', /load restrictor/],
    ['itself as a base', 'resources: [.]', /cycle detected/],
    ['an empty file', '# nothing', /is empty/],
  ])('%s is refused', (_name, kustomization, expected) => {
    const problem = problemOf({ 'app/kustomization.yaml': kustomization, 'secret.yaml': configMap }, 'app')
    expect(problem?.message).toMatch(expected)
    expect(problem?.file).toBe('app/kustomization.yaml')
  })

  it('names the file and the field of a patch that has no target', () => {
    const problem = problemOf({
      'kustomization.yaml': 'resources: [a.yaml]\npatches: [{path: p.yaml}]',
      'a.yaml': configMap,
      'p.yaml': '# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n',
    })
    expect(problem).toMatchObject({ code: 'resource-not-found', file: 'p.yaml', line: 2 })
  })

  it('names the operation of a JSON patch that leads nowhere', () => {
    const problem = problemOf({
      'kustomization.yaml':
        'resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: "[{\\"op\\": \\"remove\\", \\"path\\": \\"/data/none\\"}]"',
      'a.yaml': configMap,
    })
    expect(problem?.message).toBe('the operation remove does not apply: there is no /data/none')
  })

  it('ends bases that are nested without end', () => {
    const files: Record<string, string> = {}
    for (let level = 0; level < 200; level += 1)
      files[`l${level}/kustomization.yaml`] = `resources: [../l${level + 1}]`
    expect(problemOf(files, 'l0')?.code).toBe('limit-exceeded')
  })

  it('bounds aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let at = 1; at < 12; at += 1)
      lines.push(
        `a${at}: &a${at} [${Array(10)
          .fill(`*a${at - 1}`)
          .join(', ')}]`,
      )
    const problem = problemOf({
      'kustomization.yaml': 'resources: [a.yaml]',
      'a.yaml': `${configMap}${lines.join('\n')}`,
    })
    expect(problem).toMatchObject({ code: 'bad-yaml', file: 'a.yaml' })
  })

  it('takes bytes that are no text for what they are', () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]',
      'a.yaml': Uint8Array.from([0xff, 0xfe, 0x00]),
    }
    expect(build(memoryFiles(files), '').problems[0]).toMatchObject({ code: 'bad-yaml', file: 'a.yaml' })
  })
})
