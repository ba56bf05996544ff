import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string) => configMap(setup.namespace, name)

test('a dependant waits until its dependency has applied the same revision', async () => {
  await setup.create('base')
  await setup.create('app', { dependsOn: [{ name: 'base' }] })
  await setup.render('app', [object('app')], { revision: 'r1' })
  const waiting = await setup.untilReady('app', 'False', 'DependencyNotReady')
  expect(conditionOf(waiting, 'Ready')?.message).toBe(`dependency '${setup.namespace}/base' is not ready`)
  expect(await setup.live(object('app'))).toBeUndefined()
  await setup.render('base', [object('base')], { revision: 'r1' })
  await setup.untilApplied('app', 'r1')
  await setup.render('app', [object('app'), object('app-2')], { revision: 'r2' })
  await setup.render('base', [object('base')], { revision: 'r2' })
  const { status } = await setup.untilApplied('app', 'r2')
  expect(status?.history?.map((row) => row.lastReconciledStatus)).not.toContain('DependencyNotReady')
})

test('a suspended Kustomization leaves the cluster alone, and catches up when it resumes', async () => {
  await setup.sync('paused', [object('paused')])
  await setup.patchSpec('paused', { suspend: true })
  await setup.render('paused', [object('paused'), object('paused-2')], { revision: 'r2' })
  await waitFor('the generation is observed', async () => {
    const { status, metadata } = await setup.get('paused')
    return status?.observedGeneration === metadata.generation
  })
  expect(await setup.live(object('paused-2'))).toBeUndefined()
  await setup.patchSpec('paused', { suspend: false })
  await setup.render('paused', [object('paused'), object('paused-2')], { revision: 'r2' })
  await setup.untilApplied('paused', 'r2')
  expect(await setup.live(object('paused-2'))).toBeDefined()
})

test('a suspended Kustomization answers requests, and leaves its objects behind when it is deleted', async () => {
  await setup.sync('at-rest', [object('at-rest')])
  await setup.patchSpec('at-rest', { suspend: true })
  await setup.request('at-rest', 'now')
  await waitFor('the request is answered', async () => {
    const { status } = await setup.get('at-rest')
    return status?.lastHandledReconcileAt === 'now'
  })
  await setup.delete('at-rest')
  expect(await setup.live(object('at-rest'))).toBeDefined()
})

test('the history keeps one row for each digest and result, newest first', async () => {
  await setup.sync('storied', [object('storied')])
  await setup.render('storied', [object('storied')], { revision: 'r2' })
  await setup.untilApplied('storied', 'r2')
  await setup.render('storied', [configMap(setup.namespace, 'storied', { key: 'new' })], { revision: 'r3' })
  const { status } = await setup.untilApplied('storied', 'r3')
  expect(status?.history?.map((row) => [row.totalReconciliations, row.metadata?.revision])).toEqual([
    [1, 'r3'],
    [2, 'r2'],
  ])
})

test('a failure is retried at the retry interval, and an event tells of it once', async () => {
  await setup.create('retried', { retryInterval: '1s' })
  await setup.render('retried', [configMap(`${setup.namespace}-late`, 'late')], { revision: 'r1' })
  await setup.untilReady('retried', 'False')
  const dryRuns = await setup.metric('setpoint_api_requests_total', { verb: 'dry-run' })
  await waitFor(
    'two retries',
    async () => (await setup.metric('setpoint_api_requests_total', { verb: 'dry-run' })) >= dryRuns + 2,
  )
  await setup.kube.create({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `${setup.namespace}-late` },
  })
  await setup.untilApplied('retried', 'r1')
  await setup.untilEvent('retried', ({ reason }) => reason === 'ReconciliationSucceeded')
  const events = await setup.events('retried')
  expect(events.filter((event) => event.type === 'Warning')).toHaveLength(1)
  await setup.kube.delete({ group: '', kind: 'Namespace' }, { name: `${setup.namespace}-late` })
})

test('a source that has no artifact yet is waited for, without a warning', async () => {
  const message = 'Source artifact not found, retrying in 30s'
  await setup.create('early')
  const problem = { reason: 'ArtifactFailed', message, stalled: false }
  await setup.render('early', [], { revision: '', problem })
  const waiting = await setup.untilReady('early', 'False', 'ArtifactFailed')
  expect(conditionOf(waiting, 'Ready')?.message).toBe(message)
  expect(waiting.status?.lastAttemptedRevision).toBeUndefined()
  await setup.render('early', [object('early')], { revision: 'r1' })
  await setup.untilApplied('early', 'r1')
  expect((await setup.events('early')).filter((event) => event.type === 'Warning')).toEqual([])
})

test('an outcome and events in the words of Flux follow a sync', async () => {
  await setup.sync('told', [object('told')])
  const events = await waitFor('two events', async () => {
    const found = await setup.events('told')
    return found.length >= 2 && found
  })
  const messages = events.map((event) => event.message)
  expect(messages).toContain(`ConfigMap/${setup.namespace}/told created`)
  expect(
    messages.some((message) => /^Reconciliation finished in \S+, next run in 10m0s$/.test(message)),
  ).toBe(true)
  const outcome = await waitFor('an outcome', () => setup.outcome('told'))
  expect(outcome).toMatchObject({ ready: 'True', reason: 'ReconciliationSucceeded', generation: 1 })
})

test('a Kustomization whose new spec was not built yet keeps its status until the build comes', async () => {
  await setup.sync('rebuilt', [object('rebuilt')])
  await setup.patchSpec('rebuilt', { path: './other' })
  await setup.render('rebuilt', [object('rebuilt-2')], { revision: 'r2' })
  const { status } = await setup.untilApplied('rebuilt', 'r2')
  expect(status?.observedGeneration).toBe(2)
  expect(await setup.live(object('rebuilt'))).toBeUndefined()
})
