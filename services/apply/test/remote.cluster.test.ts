import { readFile } from 'node:fs/promises'
import { connectKube, type KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { type ControlPlane, startControlPlane, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
let plane: ControlPlane
let remote: KubeClient
const remoteKubeConfig = { secretRef: { name: 'remote' } }

beforeAll(async () => {
  ;[setup, plane] = await Promise.all([startSetup(), startControlPlane()])
  remote = await connectKube({ kubeconfig: plane.kubeconfig })
  await remote.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: setup.namespace } })
  await setup.kube.create(secret('remote', await readFile(plane.kubeconfig, 'utf8')))
})
afterAll(async () => {
  await remote?.[Symbol.asyncDispose]()
  await Promise.all([setup?.[Symbol.asyncDispose](), plane?.[Symbol.asyncDispose]()])
})

function secret(name: string, kubeconfig: string, key = 'value'): KubeObject {
  const data = { [key]: Buffer.from(kubeconfig).toString('base64') }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: setup.namespace, name }, data }
}

const core = (kind: string) => ({ group: '', version: 'v1', kind })
const onRemote = (object: KubeObject) => remote.get(core(object.kind), object.metadata)

/** A kubeconfig that names the remote cluster, with another user or other settings of the cluster. */
function kubeconfig(user: object, cluster: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: 'a', cluster: { server: plane.url, ...cluster } }],
    users: [{ name: 'a', user }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  })
}

test('objects go to the other cluster, are healed there, and are deleted there with the Kustomization', async () => {
  const object = configMap(setup.namespace, 'far')
  // The same object here is another one.
  const near = configMap(setup.namespace, 'far', { key: 'near' })
  await setup.sync('near', [near])
  await setup.sync('far', [object], { kubeConfig: remoteKubeConfig })
  expect(dataOf(await onRemote(object))).toBe('value')
  await remote.mergePatch(core('ConfigMap'), object.metadata, { data: { key: 'edited' } })
  await waitFor('the edit is healed', async () => dataOf(await onRemote(object)) === 'value')
  await remote.delete(core('ConfigMap'), object.metadata)
  await waitFor('the object is back', () => onRemote(object))
  await setup.delete('far')
  expect(await onRemote(object)).toBeUndefined()
  expect(dataOf(await setup.live(near))).toBe('near')
})

test('health is watched on the other cluster', async () => {
  const healthChecks = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'comes-later' }]
  await setup.create('far-health', { kubeConfig: remoteKubeConfig, healthChecks })
  await setup.render('far-health', [configMap(setup.namespace, 'far-health')], { revision: 'r1' })
  await setup.untilHealthy('far-health', 'Unknown')
  await remote.create(configMap(setup.namespace, 'comes-later'))
  await setup.untilApplied('far-health', 'r1')
})

test('a kubeconfig that is missing is named; it is used as soon as it is there, and again when it changes', async () => {
  const object = configMap(setup.namespace, 'awaits')
  await setup.create('awaits', { kubeConfig: { secretRef: { name: 'late' } } })
  await setup.render('awaits', [object], { revision: 'r1' })
  const missing = await setup.untilReady('awaits', 'False', 'ReconciliationFailed')
  expect(conditionOf(missing, 'Ready')?.message).toBe(
    `spec.kubeConfig: Secret ${setup.namespace}/late is not there`,
  )
  await setup.kube.create(secret('late', 'no kubeconfig', 'value.yaml'))
  await waitFor('the text is refused', async () => {
    const message = conditionOf(await setup.get('awaits'), 'Ready')?.message
    return message?.includes('is not a kubeconfig')
  })
  const right = secret('late', await readFile(plane.kubeconfig, 'utf8'), 'value.yaml')
  await setup.kube.apply(right, { fieldManager: 'test' })
  await setup.untilApplied('awaits', 'r1')
  expect(await onRemote(object)).toBeDefined()
  const refused = secret('late', kubeconfig({ token: 'no-such-token' }, { 'insecure-skip-tls-verify': true }))
  await setup.kube.apply(
    { ...refused, data: { 'value.yaml': (refused.data as Record<string, string>).value ?? '' } },
    { fieldManager: 'test' },
  )
  const changed = await setup.untilReady('awaits', 'False', 'ReconciliationFailed')
  expect(conditionOf(changed, 'Ready')?.message).toContain(
    'turns off certificate checks, which is not allowed here',
  )
  expect(conditionOf(changed, 'Ready')?.message).not.toContain('no-such-token')
  expect(await onRemote(object)).toBeDefined()
})

test.each([
  [
    'a credential plugin',
    () => secret('exec', kubeconfig({ exec: { command: 'aws' } })),
    'the kubeconfig starts the command aws, which is not allowed here; the flag --insecure-kubeconfig-exec of apply allows it',
  ],
  [
    'a file of our own',
    () => secret('files', kubeconfig({ tokenFile: '/etc/passwd' })),
    'names a token file',
  ],
  [
    'a key that is not there',
    () => secret('other-key', 'x', 'config'),
    'has no key value or value.yaml with a kubeconfig',
  ],
])('a Secret with %s is refused, and nothing is applied', async (_what, wrong, problem) => {
  const { metadata } = await setup.kube.create(wrong())
  await setup.create(metadata.name, { kubeConfig: { secretRef: { name: metadata.name } } })
  await setup.render(metadata.name, [configMap(setup.namespace, metadata.name)])
  const failed = await setup.untilReady(metadata.name, 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(problem)
})

test('an account of the other cluster is acted as there', async () => {
  await setup.create('far-tenant', { kubeConfig: remoteKubeConfig, serviceAccountName: 'tenant' })
  await setup.render('far-tenant', [configMap(setup.namespace, 'far-tenant')])
  const failed = await setup.untilReady('far-tenant', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `User "system:serviceaccount:${setup.namespace}:tenant" cannot patch resource "configmaps"`,
  )
})

test('a cluster that is away is named, delays nobody, prunes nothing, and is caught up with when it is back', async () => {
  const before = configMap(setup.namespace, 'before')
  const after = configMap(setup.namespace, 'after')
  const names = Array.from({ length: 10 }, (_, index) => `away-${index}`)
  await setup.sync('away', [before], { kubeConfig: remoteKubeConfig })
  await plane.stopApiServer()
  await setup.render('away', [after], { revision: 'r2' })
  for (const name of names) {
    await setup.create(name, { kubeConfig: remoteKubeConfig })
    await setup.render(name, [configMap(setup.namespace, name)])
  }
  const away = await setup.untilReady('away', 'False', 'ReconciliationFailed')
  expect(conditionOf(away, 'Ready')?.message).toMatch(/^the cluster at https:\S+ is away: /)
  await setup.sync('at-home', [configMap(setup.namespace, 'at-home')])
  await plane.startApiServer()
  await setup.untilApplied('away', 'r2')
  for (const name of names) await setup.untilReady(name, 'True')
  expect(await onRemote(before)).toBeUndefined()
  expect(await onRemote(after)).toBeDefined()
})
