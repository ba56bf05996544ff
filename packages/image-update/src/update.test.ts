import type { GitRepository, ImagePolicy, ImageUpdateAutomation } from '@setpoint/contracts'
import { setImages } from '@setpoint/image-setters'
import { describe, expect, it } from 'vitest'
import { commitMessage } from './commit-message.ts'
import { byMarker, imagesOf, policiesOf } from './images.ts'
import type { FileChange } from './plan.ts'
import { targetOf } from './target.ts'

type Spec = ImageUpdateAutomation['spec']

const author = { name: 'Setpoint', email: 'setpoint@example.com' }

function automation(spec: Partial<Spec> = {}): ImageUpdateAutomation {
  return {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImageUpdateAutomation',
    metadata: { namespace: 'apps', name: 'fleet' },
    spec: {
      sourceRef: { kind: 'GitRepository', name: 'fleet' },
      interval: '10m',
      git: { commit: { author } },
      ...spec,
    },
  }
}

function source(spec: Partial<GitRepository['spec']> = {}): GitRepository {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { namespace: 'apps', name: 'fleet' },
    spec: { url: 'https://git.example.com/fleet', interval: '1m', ...spec },
  }
}

describe('where an automation writes to', () => {
  const target = (spec: Partial<Spec>, found: GitRepository | undefined, allowCrossNamespace = true) =>
    targetOf(automation(spec), { get: () => found, allowCrossNamespace })
  const push = (branch: string) => ({ git: { commit: { author }, push: { branch } } })

  it.each<[string, Partial<Spec>, GitRepository['spec']['ref'], string]>([
    ['the branch of the source', {}, { branch: 'main' }, 'main'],
    ['master, when nobody names a branch', {}, undefined, 'master'],
    ['the branch to push to', push('auto'), { branch: 'main' }, 'auto'],
    ['the branch to push to, from a tag', push('auto'), { tag: 'v1' }, 'auto'],
  ])('is %s', (_what, spec, ref, branch) => {
    expect(target(spec, source(ref === undefined ? {} : { ref })).branch).toBe(branch)
  })

  it('is the same writer for two sources of one address and branch', () => {
    const other = { ...source(), metadata: { namespace: 'apps', name: 'other' } }
    expect(target({}, source()).writer).toBe(target({}, other).writer)
    expect(target(push('auto'), source()).writer).not.toBe(target({}, source()).writer)
  })

  it.each<[string, Partial<Spec>, GitRepository | undefined, string, boolean]>([
    ['a source that does not exist', {}, undefined, 'SourceManagerFailed', false],
    ['no spec.git', { git: undefined as never }, source(), 'InvalidSourceConfiguration', true],
    ['a tag, and no branch', {}, source({ ref: { tag: 'v1' } }), 'InvalidSourceConfiguration', true],
    ['a login that is not built', {}, source({ provider: 'azure' }), 'SourceManagerFailed', false],
  ])('is nowhere with %s', (_what, spec, found, reason, isStalled) => {
    expect(() => target(spec, found)).toThrow(expect.objectContaining({ reason, isStalled }))
  })

  it('is in another namespace only where that is allowed', () => {
    const sourceRef = { kind: 'GitRepository', name: 'fleet', namespace: 'other' } as const
    expect(target({ sourceRef }, source({ provider: 'github' })).branch).toBe('master')
    const denied = expect.objectContaining({ reason: 'AccessDenied', isStalled: true })
    expect(() => target({ sourceRef }, source(), false)).toThrow(denied)
  })
})

function policy(name: string, labels: Record<string, string>, spec: Partial<ImagePolicy['spec']> = {}) {
  return {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImagePolicy',
    metadata: { namespace: 'apps', name, labels },
    spec: { imageRepositoryRef: { name }, policy: {}, ...spec },
    status: { latestRef: { name: `ghcr.io/team/${name}`, tag: '1.0.0' } },
  } satisfies ImagePolicy
}

describe('the images of an automation', () => {
  const all: ImagePolicy[] = [
    policy('web', { team: 'a', tier: 'front' }),
    policy('api', { team: 'a' }),
    policy('db', {}),
    { ...policy('foreign', { team: 'a' }), metadata: { namespace: 'other', name: 'foreign' } },
    { ...policy('undecided', { team: 'a' }), status: {} },
  ]
  const chosen = (policySelector: Spec['policySelector']) =>
    Object.keys(imagesOf(policiesOf(automation(policySelector === undefined ? {} : { policySelector }), all)))
  const expression = (
    key: string,
    operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
    values?: string[],
  ) => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  })

  it('are those of its namespace that have been chosen, by name', () => {
    expect(chosen(undefined)).toEqual(['api', 'db', 'web'])
  })

  it.each<[Spec['policySelector'], string[]]>([
    [{ matchLabels: { team: 'a' } }, ['api', 'web']],
    [expression('tier', 'In', ['front', 'back']), ['web']],
    [expression('tier', 'NotIn', ['front']), ['api', 'db']],
    [expression('team', 'Exists'), ['api', 'web']],
    [expression('team', 'DoesNotExist'), ['db']],
  ])('are those that %j selects', (selector, names) => {
    expect(chosen(selector)).toEqual(names)
  })

  it.each([expression('tier', 'In'), expression('tier', 'Exists', ['x'])])('are none with %j', (selector) => {
    expect(() => chosen(selector)).toThrow(expect.objectContaining({ reason: 'InvalidPolicySelector' }))
  })

  it('leave a digest of the same tag alone when it is only to be added once', () => {
    const [old, ours] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`)
    const once = policy('web', {}, { digestReflectionPolicy: 'IfNotPresent' })
    const latestRef = { ...once.status.latestRef, digest: ours ?? '' }
    const images = byMarker([{ ...once, status: { latestRef } }])
    const set = (image: string) =>
      setImages(Buffer.from(`image: ${image} # {"$imagepolicy": "apps:web"}\n`), images).changes[0]?.newValue
    expect(set(`ghcr.io/team/web:1.0.0@${old}`)).toBeUndefined()
    expect(set('ghcr.io/team/web:1.0.0')).toBe(`ghcr.io/team/web:1.0.0@${ours}`)
    expect(set(`ghcr.io/team/web:0.9.0@${old}`)).toBe(`ghcr.io/team/web:1.0.0@${ours}`)
  })
})

it('a message sees changes by file and by object, and each change once', () => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' }
  const change = { setter: 'apps:web', oldValue: 'web:1', newValue: 'web:2', line: 1, object }
  const changes: FileChange[] = ['a.yaml', 'b.yaml'].map((path) => ({ ...change, path }))
  const messageTemplate = [
    '{{ range $file, $objects := .Changed.FileChanges }}{{ $file }} {{ end }}',
    '{{ range $object, $changes := .Changed.Objects }}{{ $object.Kind }}/{{ $object.Name }} {{ len $changes }}{{ end }}',
    '{{ range .Changed.Changes }}{{ .OldValue }} -> {{ .NewValue }} ({{ .Setter }}){{ end }}',
  ].join('\n')
  expect(commitMessage(automation({ git: { commit: { author, messageTemplate } } }), changes)).toBe(
    'a.yaml b.yaml \nDeployment/web 2\nweb:1 -> web:2 (apps:web)',
  )
})
