import type { KubeObject } from '@setpoint/manifest'
import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'
import { startWebhooks, type WebhookBehaviour, type WebhookServer } from './webhook-server.ts'

const stack = new AsyncDisposableStack()
let setup: Setup
let webhooks: WebhookServer
beforeAll(async () => {
  setup = stack.use(await startSetup(['--run-deadline-seconds=1']))
  webhooks = stack.use(await startWebhooks(setup.kube, setup.namespace))
  await waitFor('the API server calls the webhook', async () => {
    const probe = through('reject', `probe-${Math.random().toString(36).slice(2)}`)
    return setup.kube.create(probe, { dryRun: true }).then(
      () => false,
      () => true,
    )
  })
})
afterAll(() => stack.disposeAsync())

const plain = (name: string) => configMap(setup.namespace, name)
const through = (behaviour: WebhookBehaviour, name: string): KubeObject => {
  const object = plain(name)
  return { ...object, metadata: { ...object.metadata, labels: { 'test.setpoint.dev/webhook': behaviour } } }
}

test('a webhook that rejects is quoted, and nothing is pruned', async () => {
  await setup.sync('rejected', [plain('rejected-old')])
  await setup.render('rejected', [through('reject', 'rejected-new')], { revision: 'r2' })
  const failed = await setup.untilReady('rejected', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain('not on a Friday')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `ConfigMap/${setup.namespace}/rejected-new dry-run failed`,
  )
  expect(await setup.live(plain('rejected-old'))).toBeDefined()
})

test.each<WebhookBehaviour>(['rewrite', 'restless'])(
  'a webhook that rewrites (%s) causes no endless loop',
  async (behaviour) => {
    const [rewritten, neighbour] = [through(behaviour, `${behaviour}-a`), plain(`${behaviour}-b`)]
    await setup.sync(behaviour, [rewritten, neighbour])
    expect(dataOf(await setup.live(rewritten))).toBe('rewritten')
    const before = (await setup.live(rewritten))?.metadata.resourceVersion
    await setup.kube.delete({ group: '', version: 'v1', kind: 'ConfigMap' }, neighbour.metadata)
    await waitFor('a later deletion is healed', () => setup.live(neighbour))
    await setup.untilQuiet()
    expect((await setup.live(rewritten))?.metadata.resourceVersion).toBe(before)
    expect(conditionOf(await setup.get(behaviour), 'Drifted')).toBeUndefined()
  },
)

test('a webhook that times out is named, and nothing is pruned', async () => {
  await setup.sync('timed-out', [plain('timed-out-old')])
  await setup.render('timed-out', [through('time-out', 'timed-out-new')], { revision: 'r2' })
  const failed = await setup.untilReady('timed-out', 'False', 'ReconciliationFailed')
  const message = conditionOf(failed, 'Ready')?.message
  expect(message).toContain(`ConfigMap/${setup.namespace}/timed-out-new`)
  expect(message).toContain('failed calling webhook "hasty.test.setpoint.dev"')
  expect(await setup.live(plain('timed-out-old'))).toBeDefined()
})

test('a run that waits for longer than its timeout is killed, counted, and reported with what it waited for', async () => {
  await setup.sync('wedged', [plain('wedged-old')], { timeout: '1s', retryInterval: '1s' })
  await setup.render('wedged', [through('hang', 'wedged-new')], { revision: 'r2' })
  const failed = await setup.untilReady('wedged', 'False', 'ReconciliationFailed')
  expect(conditionOf(failed, 'Ready')?.message).toBe(
    `gave up after 1s (spec.timeout); no answer about ConfigMap/${setup.namespace}/wedged-new; nothing was pruned`,
  )
  expect(await setup.metric('setpoint_runs_killed_total')).toBeGreaterThan(0)
  expect(await setup.live(plain('wedged-old'))).toBeDefined()
  await setup.render('wedged', [plain('wedged-next')], { revision: 'r3' })
  await setup.untilApplied('wedged', 'r3')
})

test('webhooks that hang under more Kustomizations than there are workers delay no other one', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `hanging-${index}`)
  for (const name of names) {
    await setup.create(name, { retryInterval: '1s' })
    await setup.render(name, [through('hang', name)])
  }
  await waitFor('all workers wait for the webhook', () => Promise.resolve(webhooks.hanging() > 8))
  await setup.sync('not-hanging', [plain('not-hanging')])
  for (const name of names) expect(conditionOf(await setup.get(name), 'Ready')?.status).not.toBe('True')
  webhooks.release()
  for (const name of names) await setup.untilReady(name, 'True')
})
