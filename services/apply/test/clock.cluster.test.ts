import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

/** The wall clock of the service jumps, as on a machine that slept or whose time was set; that of the API server does not. */

const stack = new AsyncDisposableStack()
let setup: Setup
let offsetFile: string
beforeAll(async () => {
  const directory = stack.use(await temporaryDirectory('clock')).path
  offsetFile = join(directory, 'offset')
  await writeFile(offsetFile, '0')
  await writeFile(join(directory, 'clock.mjs'), CLOCK)
  setup = stack.use(
    await startSetup(['--lease-namespace=default', '--replica-name=clock'], {
      nodeArgs: [`--import=${join(directory, 'clock.mjs')}`],
    }),
  )
})
afterAll(() => stack.disposeAsync())

/** The time of the whole process is what the file says apart from the true one. */
const CLOCK = `
import { readFileSync } from 'node:fs'
const offset = () => Number(readFileSync(new URL('offset', import.meta.url), 'utf8'))
const now = Date.now
Date.now = () => now() + offset()
globalThis.Date = class extends Date {
  constructor(...args) { args.length === 0 ? super(Date.now()) : super(...args) }
}
`

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
    await writeFile(offsetFile, String(offset))
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
