import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const object = (name: string, data?: Record<string, string>) => configMap(setup.namespace, name, data)
const many = (count: number) => Array.from({ length: count }, (_, index) => object(`many-${index}`))

test('by default an object that is refused amid a large set stops all of it', async () => {
  await setup.create('whole')
  await setup.render('whole', [...many(200), object('Bad_Name')])
  const { status } = await setup.untilReady('whole', 'False', 'ReconciliationFailed')
  expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain('Bad_Name')
  expect(await setup.live(object('many-0'))).toBeUndefined()
})

test('in partial mode all others are applied, the refused ones are named, and nothing is pruned meanwhile', async () => {
  await setup.sync('partial', [object('old'), object('kept')], { retryInterval: '1s' })
  await setup.annotate('partial', { 'setpoint.dev/apply': 'partial' })
  const good = [object('kept'), ...Array.from({ length: 100 }, (_, index) => object(`part-${index}`))]
  const unknown = {
    apiVersion: 'example.com/v1',
    kind: 'Nothing',
    metadata: { namespace: setup.namespace, name: 'x' },
  }
  await setup.render('partial', [...good, object('Bad_Name'), unknown], { revision: 'r2' })
  const partly = await setup.untilReady('partial', 'False', 'PartiallyApplied')
  const message = conditionOf(partly, 'Ready')?.message ?? ''
  expect(message).toContain(`ConfigMap/${setup.namespace}/Bad_Name dry-run failed (Invalid)`)
  expect(message).toContain('no matches for kind "Nothing"')
  expect(await setup.live(object('part-99'))).toBeDefined()
  expect(await setup.live(object('old'))).toBeDefined()
  expect(partly.status?.lastAppliedRevision).not.toBe('r2')
  await setup.render('partial', good, { revision: 'r3' })
  await setup.untilApplied('partial', 'r3')
  expect(await setup.live(object('old'))).toBeUndefined()
})
