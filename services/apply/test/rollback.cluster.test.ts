import { findCondition } from '@setpoint/conditions'
import { formatRollback, KUSTOMIZATION, ROLLBACK_ANNOTATION } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const version = (name: string, v: string) => ({ ...configMap(setup.namespace, name), data: { v } })
const data = async (name: string) =>
  (await setup.live(configMap(setup.namespace, name)))?.data as Record<string, string> | undefined

/** Good is applied, then bad; then the Kustomization is rolled back to good. */
async function rolledBackFleet(name: string): Promise<void> {
  await setup.sync(name, [version(name, 'good')])
  await setup.render(name, [version(name, 'bad'), version(`${name}-new`, 'bad')], { revision: 'r-bad' })
  const { status } = await setup.untilApplied(name, 'r-bad')
  const [bad, good] = status?.history ?? []
  const revision = good?.metadata?.revision ?? ''
  await annotate(name, formatRollback({ revision, digest: good?.digest ?? '', insteadOf: bad?.digest ?? '' }))
  await setup.untilApplied(name, revision)
}

async function annotate(name: string, value: string | null): Promise<void> {
  const patch = { metadata: { annotations: { [ROLLBACK_ANNOTATION]: value } } }
  await setup.kube.mergePatch(KUSTOMIZATION, { namespace: setup.namespace, name }, patch)
}

test('a rollback brings the earlier build back, prunes what came after it, and shows', async () => {
  await rolledBackFleet('back')
  expect(await data('back')).toEqual({ v: 'good' })
  expect(await data('back-new')).toBeUndefined()
  const { status } = await setup.untilReady('back', 'True')
  expect(findCondition(status?.conditions, 'RolledBack')?.message).toContain('instead of r-bad')
  expect(status?.lastAttemptedRevision).toBe('r-bad')
})

test('a commit that changes nothing of it leaves the rollback in place', async () => {
  await rolledBackFleet('holds')
  await setup.render('holds', [version('holds', 'bad'), version('holds-new', 'bad')], { revision: 'r-other' })
  await waitFor('the newer revision is looked at', async () =>
    (await setup.get('holds')).status?.lastAttemptedRevision === 'r-other' ? true : undefined,
  )
  expect(await data('holds')).toEqual({ v: 'good' })
})

test('a commit that changes what is built ends it, for good', async () => {
  await rolledBackFleet('ends')
  await setup.render('ends', [version('ends', 'better')], { revision: 'r-better' })
  const { metadata, status } = await setup.untilApplied('ends', 'r-better')
  expect(await data('ends')).toEqual({ v: 'better' })
  expect(metadata.annotations?.[ROLLBACK_ANNOTATION]).toBeUndefined()
  expect(findCondition(status?.conditions, 'RolledBack')).toBeUndefined()
})

test('without its annotation the newest build is back', async () => {
  await rolledBackFleet('resumed')
  await annotate('resumed', null)
  await setup.untilApplied('resumed', 'r-bad')
  expect(await data('resumed')).toEqual({ v: 'bad' })
})

test('drift from the earlier build is healed while it is held', async () => {
  await rolledBackFleet('healed')
  await setup.kube.mergePatch(
    { group: '', version: 'v1', kind: 'ConfigMap' },
    { namespace: setup.namespace, name: 'healed' },
    { data: { v: 'edited' } },
  )
  await waitFor('the edit is undone', async () => ((await data('healed'))?.v === 'good' ? true : undefined))
})

test('a build that is not stored any more changes nothing, and the condition says so', async () => {
  await setup.sync('lost', [version('lost', 'present')])
  const insteadOf = (await setup.get('lost')).status?.history?.[0]?.digest ?? ''
  await annotate('lost', formatRollback({ revision: 'r-old', digest: `sha256:${'0'.repeat(64)}`, insteadOf }))
  const { status } = await setup.untilReady('lost', 'False', 'RollbackFailed')
  expect(findCondition(status?.conditions, 'Ready')?.message).toContain('r-old is not stored any more')
  expect(await data('lost')).toEqual({ v: 'present' })
})

test('an annotation that cannot be read is refused, and nothing is changed', async () => {
  await setup.sync('garbled', [version('garbled', 'present')])
  await annotate('garbled', 'yesterday')
  const { status } = await setup.untilReady('garbled', 'False', 'RollbackFailed')
  expect(findCondition(status?.conditions, 'Stalled')?.message).toContain('setpoint resume')
  expect(await data('garbled')).toEqual({ v: 'present' })
})
