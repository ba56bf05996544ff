import { describe, expect, it } from 'vitest'
import { build, memoryFiles, printResources } from './index.ts'

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: "1"\n'

function problemOf(files: Record<string, string | Uint8Array>, root = '') {
  const { resources, problems } = build(memoryFiles(files), root)
  expect(resources).toEqual([])
  return problems[0]
}

/** The problem of a build whose only resource file is this one. */
function problemOfFile(content: string | Uint8Array) {
  return problemOf({ 'kustomization.yaml': 'resources: [a.yaml]', 'a.yaml': content })
}

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

describe('a key named __proto__', () => {
  it.each([
    ['in a resource', 'resources: [b.yaml]'],
    ['of a label', 'resources: [a.yaml]\ncommonLabels: {__proto__: x}'],
    ['of a generator', 'configMapGenerator: [{name: a, literals: [__proto__=1]}]'],
    [
      'in a JSON patch',
      `resources: [a.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: '[{"op": "add", "path": "/data/__proto__", "value": {}}]'`,
    ],
    [
      'in a replacement',
      'resources: [a.yaml]\nreplacements: [{sourceValue: v, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.__proto__.x], options: {create: true}}]}]',
    ],
  ])('is refused %s', (_name, kustomization) => {
    const files = {
      'kustomization.yaml': kustomization,
      'a.yaml': configMap,
      'b.yaml': `${configMap}__proto__: {}`,
    }
    expect(problemOf(files)?.message).toContain('a key named __proto__ is not supported')
  })
})

describe('input without measure', () => {
  it('is refused before it is read, where a file has 50 MB', () => {
    expect(problemOfFile(new Uint8Array(50_000_000))).toEqual({
      code: 'limit-exceeded',
      message: 'the file has 50000000 bytes, more than the limit of 26214400',
      file: 'a.yaml',
    })
  })

  it('is refused at the document that is one too many', () => {
    const problem = problemOfFile('a: 1\n---\n'.repeat(100_001))
    expect(problem).toMatchObject({ code: 'bad-yaml', file: 'a.yaml', line: 200_001 })
    expect(problem?.message).toBe('more than 100000 documents in one file')
  })

  it('is taken where it is nothing but 100,000 separators', () => {
    const files = {
      'kustomization.yaml': 'resources: [a.yaml]',
      'a.yaml': configMap + '---\n'.repeat(100_000),
    }
    expect(build(memoryFiles(files), '').resources).toHaveLength(1)
  })

  it('is refused before it is read, where one document has millions of items', () => {
    const problem = problemOfFile(`${configMap}---\nlist: [${'1,'.repeat(2_000_001)}]`)
    expect(problem).toMatchObject({ code: 'bad-yaml', file: 'a.yaml', line: 8 })
  })

  it('is refused where brackets are nested without end', () => {
    const problem = problemOfFile(`${configMap}list: ${'['.repeat(100_000)}`)
    expect(problem).toMatchObject({ code: 'bad-yaml', file: 'a.yaml', line: 7 })
  })

  it('is refused where there are more badly indented lines than can be mended', () => {
    const problem = problemOfFile(`${configMap}more: {\n${'x: y,\n'.repeat(50_000)}}`)
    expect(problem).toMatchObject({ code: 'bad-yaml', file: 'a.yaml', message: 'deficient indentation' })
  })

  it('bounds the kustomizations that a build takes in', () => {
    const files: Record<string, string> = {}
    for (let level = 0; level < 20; level += 1)
      files[`l${level}/kustomization.yaml`] = `resources: [../l${level + 1}]\ncomponents: [../l${level + 1}]`
    const { problems } = build(memoryFiles(files), 'l0', { limits: { maxKustomizations: 10 } })
    expect(problems[0]).toMatchObject({ code: 'limit-exceeded' })
  })
})

describe('the text of a file', () => {
  const render = (change: (text: string) => string) => {
    const files = { 'kustomization.yaml': change('resources:\n- a.yaml\n'), 'a.yaml': change(configMap) }
    const { resources, problems } = build(memoryFiles(files), '')
    expect(problems).toEqual([])
    return printResources(resources)
  }
  const plain = render((text) => text)

  it('may end its lines as Windows does', () => {
    expect(render((text) => text.replaceAll('\n', '\r\n'))).toBe(plain)
  })

  it('may start with a byte order mark', () => {
    expect(render((text) => `\uFEFF${text}`)).toBe(plain)
  })

  it('is named where bytes behind its start are no UTF-8', () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode(configMap), 0xc3, 0x28])
    expect(problemOfFile(bytes)).toMatchObject({ code: 'bad-yaml', file: 'a.yaml', line: 7 })
  })
})
