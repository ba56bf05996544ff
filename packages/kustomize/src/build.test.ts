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
