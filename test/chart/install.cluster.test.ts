import { join } from 'node:path'
import { binary, type ControlPlane, startControlPlane, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { CHART, helm, type Manifest, withValues } from './helm.ts'

/** A real `helm install` into an API server of its own: what comes up, what each service may do, what stays. */

const NAMESPACE = 'setpoint-system'
/** No provisioner runs here that could make a volume. */
const VALUES = { nats: { storage: { type: 'emptyDir' } } }

const stack = new AsyncDisposableStack()
let cluster: ControlPlane

beforeAll(async () => {
  await binary('helm')
  cluster = stack.use(await startControlPlane({ controllers: true }))
  await install('install', VALUES)
}, 600_000)

afterAll(() => stack.disposeAsync())

describe('helm install', () => {
  it('brings every Pod up', async () => {
    for (const workload of [
      'deployment/setpoint-source',
      'deployment/setpoint-kustomize-render',
      'deployment/setpoint-apply',
      'deployment/setpoint-image-automation',
      'statefulset/setpoint-nats',
    ])
      await kubectl('rollout', 'status', workload, '--timeout=45s')
  })

  it('installs the definitions of every kind', async () => {
    const definitions = [
      'crd/gitrepositories.source.toolkit.fluxcd.io',
      'crd/kustomizations.kustomize.toolkit.fluxcd.io',
      'crd/imagerepositories.image.toolkit.fluxcd.io',
      'crd/imagepolicies.image.toolkit.fluxcd.io',
      'crd/imageupdateautomations.image.toolkit.fluxcd.io',
    ]
    await kubectl('wait', '--for=condition=Established', ...definitions, '--timeout=30s')
  })

  it('gives every Service the Pods that it is for', async () => {
    for (const service of ['setpoint-source', 'setpoint-nats', 'setpoint-nats-peers'])
      await waitFor(`Pods behind ${service}`, async () => {
        const flags = ['-l', `kubernetes.io/service-name=${service}`, '-o', 'yaml']
        const { items } = parse(await kubectl('get', 'endpointslices', ...flags)) as { items: Manifest[] }
        return items.some(({ endpoints }) => endpoints?.length > 0)
      })
  })

  it('makes a sealing key of 32 bytes and a password for each user of NATS', async () => {
    const { data } = await secret('setpoint-sealing-key')
    expect(Buffer.from(data.key ?? '', 'base64')).toHaveLength(32)
    const passwords = Object.values((await secret('setpoint-nats-auth')).data)
    expect(new Set(passwords).size).toBe(5)
    for (const password of passwords)
      expect(Buffer.from(password, 'base64').length).toBeGreaterThanOrEqual(32)
  })
})

describe('what each service may do', () => {
  it.each([
    ['source', 'watch', 'gitrepositories.source.toolkit.fluxcd.io', true],
    ['source', 'patch', 'gitrepositories.source.toolkit.fluxcd.io', true],
    ['source', 'patch', 'gitrepositories.source.toolkit.fluxcd.io/status', true],
    ['source', 'get', 'secrets', true],
    ['source', 'create', 'events', true],
    ['source', 'patch', 'events', true],
    ['source', 'list', 'secrets', false],
    ['source', 'watch', 'secrets', false],
    ['source', 'create', 'secrets', false],
    ['source', 'create', 'gitrepositories.source.toolkit.fluxcd.io', false],
    ['source', 'patch', 'kustomizations.kustomize.toolkit.fluxcd.io/status', false],
    ['source', 'create', 'deployments.apps', false],
    ['source', 'patch', 'configmaps', false],
    ['image-automation', 'watch', 'imagepolicies.image.toolkit.fluxcd.io', true],
    ['image-automation', 'patch', 'imagerepositories.image.toolkit.fluxcd.io/status', true],
    ['image-automation', 'get', 'secrets', true],
    ['image-automation', 'list', 'secrets', false],
    ['image-automation', 'patch', 'gitrepositories.source.toolkit.fluxcd.io/status', false],
    ['image-automation', 'create', 'deployments.apps', false],
    ['kustomize-render', 'watch', 'kustomizations.kustomize.toolkit.fluxcd.io', true],
    ['kustomize-render', 'watch', 'gitrepositories.source.toolkit.fluxcd.io', true],
    ['kustomize-render', 'get', 'configmaps', true],
    ['kustomize-render', 'get', 'secrets', true],
    ['kustomize-render', 'watch', 'secrets', true],
    ['kustomize-render', 'create', 'events', false],
    ['kustomize-render', 'patch', 'kustomizations.kustomize.toolkit.fluxcd.io', false],
    ['kustomize-render', 'patch', 'kustomizations.kustomize.toolkit.fluxcd.io/status', false],
    ['kustomize-render', 'create', 'deployments.apps', false],
    ['apply', 'create', 'deployments.apps', true],
    ['apply', 'delete', 'customresourcedefinitions.apiextensions.k8s.io', true],
    ['apply', 'patch', 'kustomizations.kustomize.toolkit.fluxcd.io/status', true],
    ['apply', 'create', 'events', true],
  ])('%s: %s %s is %s', async (service, verb, resource, allowed) => {
    expect(await can(service, verb, resource)).toBe(allowed)
  })

  it('kustomize-render may write nothing but the Lease by which it shares its work', async () => {
    const flags = ['--list', '--no-headers', `--as=${accountOf('kustomize-render')}`]
    const rows = (await kubectl('auth', 'can-i', ...flags)).trim().split('\n')
    const writing = rows.filter((row) => !/\[(get|list|watch| )*\]$/.test(row.trim()))
    // What every account of a cluster may do: ask who it is and what it may do.
    const resources = writing.map((row) => row.split(/\s/)[0] ?? '')
    expect(resources.filter((resource) => !resource.startsWith('selfsubject'))).toEqual([
      'leases.coordination.k8s.io',
    ])
    expect(rows.join()).toContain('kustomizations.kustomize.toolkit.fluxcd.io')
  })

  it('NATS has no identity at all', async () => {
    const { spec } = parse(await kubectl('get', 'pod', 'setpoint-nats-0', '-o', 'yaml'))
    expect(spec.automountServiceAccountToken).toBe(false)
  })
})

describe('helm upgrade', () => {
  it('keeps the sealing key and the passwords', async () => {
    const before = [await secret('setpoint-sealing-key'), await secret('setpoint-nats-auth')]
    await install('upgrade', { ...VALUES, logLevel: 'debug' })
    const after = [await secret('setpoint-sealing-key'), await secret('setpoint-nats-auth')]
    expect(after.map(({ data }) => data)).toEqual(before.map(({ data }) => data))
  })

  it('brings a changed definition back to what the chart says', async () => {
    const column = '[{"op":"remove","path":"/spec/names/shortNames"}]'
    await kubectl('patch', 'crd', 'kustomizations.kustomize.toolkit.fluxcd.io', '--type=json', '-p', column)
    await install('upgrade', VALUES)
    const text = await kubectl('get', 'crd', 'kustomizations.kustomize.toolkit.fluxcd.io', '-o', 'yaml')
    expect(parse(text).spec.names.shortNames).toEqual(['ks'])
  })

  it('with a smaller apply.clusterRole and no remote clusters, apply keeps its own work and loses the rest', async () => {
    await install('upgrade', { ...VALUES, apply: { clusterRole: 'view', remoteClusters: false } })
    expect(await can('apply', 'patch', 'kustomizations.kustomize.toolkit.fluxcd.io/status')).toBe(true)
    expect(await can('apply', 'get', 'secrets/setpoint-sealing-key')).toBe(true)
    expect(await can('apply', 'get', 'secrets/setpoint-nats-auth')).toBe(false)
    expect(await can('apply', 'create', 'deployments.apps')).toBe(false)
  })

  it('lets the role edit write the kinds, and view read them', async () => {
    await kubectl('create', 'serviceaccount', 'editor')
    await kubectl(
      'create',
      'rolebinding',
      'editor',
      '--clusterrole=edit',
      `--serviceaccount=${NAMESPACE}:editor`,
    )
    const account = `system:serviceaccount:${NAMESPACE}:editor`
    await waitFor('the role edit to hold the kinds', () =>
      canAs(account, 'create', 'kustomizations.kustomize.toolkit.fluxcd.io'),
    )
    expect(await canAs(account, 'watch', 'gitrepositories.source.toolkit.fluxcd.io')).toBe(true)
  })
})

describe('helm uninstall', () => {
  it('leaves the definitions and the objects of both kinds, and nothing else', async () => {
    await kubectl('apply', '--server-side', '-f', EXAMPLE)
    await helm('uninstall', 'setpoint', ...where(), '--wait', '--timeout=60s')
    const kept = await kubectl('get', 'gitrepositories,kustomizations', '-o', 'name')
    expect(kept.trim().split('\n')).toHaveLength(2)
    const gone = 'deployments,statefulsets,services,secrets,configmaps,serviceaccounts,networkpolicies,roles'
    expect(await kubectl('get', gone, '-o', 'name')).not.toContain('/setpoint-')
    expect(await kubectl('get', 'clusterroles,clusterrolebindings', '-o', 'name')).not.toContain('/setpoint-')
  })

  it('a second install takes the definitions over again', async () => {
    await install('install', VALUES)
    expect(await kubectl('get', 'gitrepositories', '-o', 'name')).toContain('podinfo')
  })
})

const EXAMPLE = join(import.meta.dirname, 'example.yaml')

async function install(verb: 'install' | 'upgrade', values: object): Promise<void> {
  const flags = [...where(), '--create-namespace', '--wait', '--timeout=90s']
  await withValues(values, (file) => helm(verb, 'setpoint', CHART, ...flags.filter(takenBy(verb)), file))
}

/** `helm upgrade` makes no namespace. */
const takenBy = (verb: string) => (flag: string) => verb === 'install' || flag !== '--create-namespace'

const where = () => [`--kubeconfig=${cluster.kubeconfig}`, `--namespace=${NAMESPACE}`]

const kubectl = (...args: string[]) => cluster.kubectl('-n', NAMESPACE, ...args)

const accountOf = (service: string) => `system:serviceaccount:${NAMESPACE}:setpoint-${service}`

const can = (service: string, verb: string, resource: string) => canAs(accountOf(service), verb, resource)

/** Asks the API server, as the account itself could. */
async function canAs(account: string, verb: string, resource: string): Promise<boolean> {
  const [name = '', subresource] = resource.split('/')
  const flags = subresource === 'status' ? ['--subresource=status'] : []
  const what = subresource === undefined || subresource === 'status' ? name : resource
  const question = ['auth', 'can-i', verb, what, ...flags, `--as=${account}`]
  const answer = await kubectl(...question).catch(answerOf)
  return answer.trim() === 'yes'
}

/** kubectl ends with an error when the answer is no. */
function answerOf(error: Error): string {
  const { stdout } = error.cause as { stdout?: string }
  if (stdout?.trim() !== 'no') throw error
  return stdout
}

async function secret(name: string): Promise<{ data: Record<string, string> }> {
  return parse(await kubectl('get', 'secret', name, '-o', 'yaml'))
}
