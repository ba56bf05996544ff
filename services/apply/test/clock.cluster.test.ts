import { type JumpingClock, jumpingClock, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

/** The wall clock of the service jumps, as on a machine that slept or whose time was set; that of the API server does not. */

const stack = new AsyncDisposableStack()
let setup: Setup
let clock: JumpingClock
beforeAll(async () => {
  clock = stack.use(await jumpingClock())
  setup = stack.use(
    await startSetup(['--lease-namespace=default', '--replica-name=clock'], {
      nodeArgs: clock.nodeArgs,
    }),
  )
})
afterAll(() => stack.disposeAsync())

const object = (name: string, value = 'value') => configMap(setup.namespace, name, { key: value })
const HOUR = 3_600_000

test.each([
  ['a day forward', 24 * HOUR],
  ['two days back', -24 * HOUR],
])(
  'the clock jumps %s: drift is healed, the next revision is applied and pruned right, and Ready stays true',
  async (_jump, offset) => {
    const name = `jump-${Math.abs(offset) === offset ? 'forward' : 'back'}`
    await setup.sync(name, [object(`${name}-a`), object(`${name}-b`)])
    await clock.set(offset)
    await setup.kube.mergePatch(
      { group: '', version: 'v1', kind: 'ConfigMap' },
      object(`${name}-a`).metadata,
      {
        data: { key: 'edited' },
      },
    )
    await waitFor('the edit is healed', async () => dataOf(await setup.live(object(`${name}-a`))) === 'value')
    await setup.render(name, [object(`${name}-a`, 'new')], { revision: 'r2' })
    const applied = await setup.untilApplied(name, 'r2')
    expect(conditionOf(applied, 'Ready')?.status).toBe('True')
    expect(dataOf(await setup.live(object(`${name}-a`)))).toBe('new')
    expect(await setup.live(object(`${name}-b`))).toBeUndefined()
    expect((await fetch(`${setup.service.url}/healthz`)).status).toBe(200)
    await waitFor('the service is ready', async () => (await fetch(`${setup.service.url}/readyz`)).ok)
  },
)
