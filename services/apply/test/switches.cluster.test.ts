import type { KubeObject } from '@setpoint/manifest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  const roles = 'rbac.authorization.k8s.io/Role'
  setup = await startSetup([`--custom-apply-stage-kinds=${roles}`, '--override-manager=former-tool'])
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const PREFIX = 'kustomize.toolkit.fluxcd.io'
const core = { group: '', version: 'v1', kind: 'ConfigMap' }

function switched(name: string, annotation: string, value: string, data: Record<string, string>): KubeObject {
  const object = configMap(setup.namespace, name, data)
  const annotations = { [`${PREFIX}/${annotation}`]: value }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

const dataOf = async (object: KubeObject) => (await setup.live(object))?.data

test('ssa: IfNotPresent makes an object, then leaves it to others, and still prunes it', async () => {
  const of = (key: string) => switched('if-not-present', 'ssa', 'IfNotPresent', { key })
  await setup.sync('if-not-present', [of('one'), configMap(setup.namespace, 'beside')])
  await setup.kube.mergePatch(core, of('').metadata, { data: { key: 'edited' } })
  await setup.render('if-not-present', [of('two'), configMap(setup.namespace, 'beside')], { revision: 'r2' })
  await setup.untilApplied('if-not-present', 'r2')
  expect(await dataOf(of(''))).toEqual({ key: 'edited' })
  await setup.render('if-not-present', [configMap(setup.namespace, 'beside')], { revision: 'r3' })
  await setup.untilApplied('if-not-present', 'r3')
  expect(await setup.live(of(''))).toBeUndefined()
})

test('ssa: Merge leaves what kubectl has added', async () => {
  const of = (key: string) => switched('merged', 'ssa', 'Merge', { key })
  await setup.sync('merged', [of('one')])
  await setup.kube.mergePatch(
    core,
    of('').metadata,
    { data: { extra: 'x' } },
    { fieldManager: 'kubectl-edit' },
  )
  await setup.render('merged', [of('two')], { revision: 'r2' })
  await setup.untilApplied('merged', 'r2')
  expect(await dataOf(of(''))).toEqual({ key: 'two', extra: 'x' })
})

test('ssa: Ignore neither makes an object nor prunes one', async () => {
  const ignored = switched('ignored', 'ssa', 'Ignore', { key: 'value' })
  const { status } = await setup.sync('ignored', [ignored, configMap(setup.namespace, 'not-ignored')])
  // As in Flux, what is skipped is in the inventory all the same.
  expect(status?.inventory?.entries).toHaveLength(2)
  expect(await setup.live(ignored)).toBeUndefined()
  await setup.kube.create(ignored)
  await setup.render('ignored', [configMap(setup.namespace, 'not-ignored')], { revision: 'r2' })
  await setup.untilApplied('ignored', 'r2')
  expect(await setup.live(ignored)).toBeDefined()
})

test('force: enabled makes one object anew when a field is immutable', async () => {
  const of = (key: string) => ({ ...switched('forced', 'force', 'Enabled', { key }), immutable: true })
  await setup.sync('forced', [of('one')])
  const before = await setup.live(of(''))
  await setup.render('forced', [of('two')], { revision: 'r2' })
  await setup.untilApplied('forced', 'r2')
  expect(await dataOf(of(''))).toEqual({ key: 'two' })
  expect((await setup.live(of('')))?.metadata.uid).not.toBe(before?.metadata.uid)
})

test('what a manager that is overridden has set is taken away, and what another has set stays', async () => {
  const object = configMap(setup.namespace, 'taken-over')
  const set = (fieldManager: string, data: object) =>
    setup.kube.mergePatch(core, object.metadata, { data }, { fieldManager })
  await setup.kube.create(object, { fieldManager: 'former-tool-2' })
  await set('former-tool-2', { former: 'x' })
  await set('another-tool', { other: 'y' })
  await setup.sync('taken-over', [object])
  expect(await dataOf(object)).toEqual({ key: 'value', other: 'y' })
})

test('a tenant may bind a Role of the same set when Roles have a stage of their own', async () => {
  const { namespace } = setup
  const rbac = 'rbac.authorization.k8s.io'
  const rules = [
    { apiGroups: [rbac], resources: ['roles', 'rolebindings'], verbs: ['*'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  ]
  const role = (name: string, given: object[]): KubeObject => ({
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: { namespace, name },
    rules: given,
  })
  const binding = (name: string, to: string): KubeObject => ({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace, name },
    roleRef: { apiGroup: rbac, kind: 'Role', name: to },
    subjects: [{ kind: 'ServiceAccount', namespace, name: 'binder' }],
  })
  await setup.kube.create(role('binder', rules))
  await setup.kube.create(binding('binder', 'binder'))
  const set = [role('reader', rules.slice(1)), binding('reader', 'reader')]
  const { status } = await setup.sync('binder', set, { serviceAccountName: 'binder' })
  expect(status?.inventory?.entries).toHaveLength(2)
})
