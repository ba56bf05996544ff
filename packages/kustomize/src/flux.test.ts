import { describe, expect, it } from 'vitest'
import { build, fluxKustomization, memoryFiles } from './index.ts'

const object = (kind: string, name: string) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\n`

function buildPath(files: Record<string, string>, path: string, spec = {}) {
  const tree = memoryFiles(files)
  const flux = fluxKustomization(tree, path, spec)
  return { flux, ...build(tree, path, { overlay: flux.overlay, loadRestrictor: 'none' }) }
}

describe('a path without a kustomization file', () => {
  const files = {
    'app/a.yaml': object('Service', 'a'),
    'app/notes.txt': 'not a manifest',
    'app/deep/down/b.yml': object('Service', 'b'),
    'app/base/kustomization.yaml': 'resources: [c.yaml]\nnamePrefix: base-',
    'app/base/c.yaml': object('Service', 'c'),
    'app/base/more/d.yaml': object('Service', 'd'),
  }

  it('takes in every manifest below, and a directory with a kustomization file as one', () => {
    const { flux, resources } = buildPath(files, 'app')
    expect(flux.overlay.resources).toEqual(['./a.yaml', './base', './deep/down/b.yml'])
    expect(resources.map(({ object: { metadata } }) => (metadata as { name: string }).name)).toEqual([
      'a',
      'b',
      'base-c',
    ])
  })

  it('names the listed directories among the reads', () => {
    expect(buildPath(files, 'app').flux.reads).toEqual(
      expect.arrayContaining(['app/', 'app/deep/', 'app/deep/down/']),
    )
  })

  it('builds nothing, without an error, where there is no manifest', () => {
    expect(buildPath({ 'app/readme.md': '' }, 'app')).toMatchObject({ resources: [], problems: [] })
  })

  it('fails on a manifest that is no object', () => {
    expect(buildPath({ 'app/a.yaml': 'just: data\n' }, 'app').problems[0]).toMatchObject({
      file: 'app/a.yaml',
    })
  })
})

describe('the fields of the spec', () => {
  const files = {
    'app/kustomization.yaml':
      'resources: [a.yaml]\nunknownToFlux: 1\nimages: [{name: nginx, newName: mirror/nginx, newTag: "1"}]\nnamespace: old',
    'app/a.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: nginx}]}\n',
    'component/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {component: "yes"}',
  }

  it('are laid over the kustomization file', () => {
    const { resources, problems } = buildPath(files, 'app', {
      targetNamespace: 'new',
      nameSuffix: '-x',
      images: [{ name: 'nginx', digest: 'sha256:abc' }],
      patches: [
        { patch: '[{"op": "add", "path": "/spec/hostname", "value": "h"}]', target: { kind: 'Pod' } },
      ],
      components: ['../component'],
    })
    expect(problems).toEqual([])
    expect(resources[0]?.object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a-x', namespace: 'new', annotations: { component: 'yes' } },
      spec: { containers: [{ name: 'c', image: 'mirror/nginx@sha256:abc' }], hostname: 'h' },
    })
  })

  it('leave out a missing component only where the spec allows it', () => {
    const spec = { components: ['../none'] }
    expect(buildPath(files, 'app', spec).problems).toHaveLength(1)
    expect(buildPath(files, 'app', { ...spec, ignoreMissingComponents: true }).problems).toEqual([])
  })
})

describe('a bad path', () => {
  it('that is not there is a problem', () => {
    expect(fluxKustomization(memoryFiles({}), 'none', {}).problems[0]).toMatchObject({
      code: 'file-not-found',
    })
  })
  it('that leaves the repository is a problem', () => {
    expect(fluxKustomization(memoryFiles({}), '../x', {}).problems[0]).toMatchObject({ code: 'outside-root' })
  })
  it('that leaves by a symbolic link is a problem', () => {
    const tree = {
      ...memoryFiles({}),
      kind: (path: string) => (path === 'app' ? ('symlink' as const) : undefined),
      readlink: () => '../../etc',
    }
    expect(fluxKustomization(tree, 'app', {}).problems[0]).toMatchObject({ code: 'outside-root' })
  })
})
