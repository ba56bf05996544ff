import type { Kustomization, KustomizationSpec } from '@setpoint/contracts'
import { memoryFiles } from '@setpoint/kustomize'
import { describe, expect, test } from 'vitest'
import { buildObjects, readVariables } from './index.ts'

const config = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`

const files = {
  'app/kustomization.yaml': 'resources: [config.yaml]\n',
  'app/config.yaml': `${config('first', 'one')}---\n${config('second', '${COLOR}')}`,
  'extra/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {from: extra}\n',
}

describe('variables', () => {
  test('one without a value is named with the object, its file and the line in Git', async () => {
    const { problem } = await built({ postBuild: { substitute: { OTHER: 'x' } } })
    expect(problem).toEqual({
      reason: 'BuildFailed',
      message:
        'post build substitution failed for ConfigMap/second (app/config.yaml:13): variable "COLOR" is not set and has no default',
    })
  })

  test('one without a value is empty where that is allowed', async () => {
    const postBuild = { substitute: { OTHER: 'x' } }
    expect(await keys({ postBuild }, { strict: false })).toEqual(['one', null])
  })

  test('without any, nothing is replaced, also when what they come from is empty or absent', async () => {
    const absent = { kind: 'Secret' as const, name: 'absent', optional: true }
    const empty = { kind: 'ConfigMap' as const, name: 'empty' }
    expect(await keys({ postBuild: { substituteFrom: [absent, empty] } })).toEqual(['one', '${COLOR}'])
  })

  test('without any, the strategy Always still asks for them', async () => {
    const { problem } = await built({ postBuild: { substituteStrategy: 'Always' } })
    expect(problem?.message).toContain('"COLOR" is not set')
  })

  test('a value turns a string into a number, and loses its line breaks', async () => {
    expect(await keys({ postBuild: { substitute: { COLOR: '4\n2' } } })).toEqual(['one', 42])
  })
})

describe('components of the spec', () => {
  test('are added to what is in Git', async () => {
    const { objects } = await built({ components: ['../extra'] })
    expect(objects?.[0]?.metadata).toMatchObject({ annotations: { from: 'extra' } })
  })

  test('that do not exist fail the build, unless they may be missing', async () => {
    const components = ['../absent', '../extra']
    expect((await built({ components })).problem?.message).toContain('absent')
    const { objects } = await built({ components, ignoreMissingComponents: true })
    expect(objects?.[0]?.metadata).toMatchObject({ annotations: { from: 'extra' } })
  })

  test('that are remote or absolute are refused', async () => {
    for (const component of ['https://example.com/x', '/extra'])
      expect(
        (await built({ components: [component], ignoreMissingComponents: true })).problem?.message,
      ).toContain('must be local and relative')
  })
})

test('buildMetadata says where each object came from', async () => {
  const { objects } = await built({ buildMetadata: ['originAnnotations'] })
  expect(objects?.[0]?.metadata).toMatchObject({
    annotations: { 'config.kubernetes.io/origin': 'path: config.yaml\n' },
  })
})

test('5,000 objects are built', async () => {
  const many = Array.from({ length: 5000 }, (_, index) => config(`n${index}`, 'x')).join('---\n')
  const { objects } = await built({}, {}, { 'app/many.yaml': many })
  expect(objects).toHaveLength(5000)
})

async function keys(spec: Partial<KustomizationSpec>, options: { strict?: boolean } = {}) {
  const { objects } = await built(spec, options)
  return objects?.map(({ data }) => (data as { key: unknown }).key)
}

async function built(
  spec: Partial<KustomizationSpec>,
  options: { strict?: boolean } = {},
  given: Record<string, string> = files,
) {
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { namespace: 'team', name: 'app' },
    spec: {
      interval: '1m',
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      path: './app',
      ...spec,
    },
  } as Kustomization
  const read = async (kind: string) =>
    kind === 'Secret' ? undefined : { apiVersion: 'v1', kind, metadata: { name: 'empty' } }
  const variables = await readVariables(read, kustomization)
  return buildObjects(kustomization, memoryFiles(given), { variables, ...options })
}
