import { waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, dataOf, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

const core = { group: '', version: 'v1', kind: 'ConfigMap' }
const object = (name: string, data?: Record<string, string>) => configMap(setup.namespace, name, data)
const edit = (name: string, data: Record<string, string>, fieldManager = 'on-call') =>
  setup.kube.mergePatch(core, object(name).metadata, { data }, { fieldManager })
const drifted = async (name: string) =>
  conditionOf(await setup.untilCondition(name, 'Drifted', 'True'), 'Drifted')?.message ?? ''
const keyOf = async (name: string) => dataOf(await setup.live(object(name)))

test('warn names object, field and manager, and leaves the edit until somebody reconciles', async () => {
  const objects = [object('warned'), object('warned-deleted'), object('warned-other')]
  await setup.sync('warn', objects)
  await setup.annotate('warn', { 'setpoint.dev/drift': 'warn' })
  await edit('warned', { key: 'mine' })
  expect(await drifted('warn')).toContain(`ConfigMap/${setup.namespace}/warned: data.key set by on-call`)
  await setup.kube.delete(core, object('warned-deleted').metadata)
  await waitFor('the deletion is seen', async () =>
    (await drifted('warn')).includes('warned-deleted was deleted'),
  )
  const news = await setup.untilEvent('warn', ({ reason }) => reason === 'DriftDetected')
  expect(news.message).toContain('data.key set by on-call')
  expect(conditionOf(await setup.get('warn'), 'Ready')?.status).toBe('True')
  expect(JSON.stringify(await setup.get('warn'))).not.toContain('mine')

  const changed = [object('warned'), object('warned-deleted'), object('warned-other', { key: 'new' })]
  await setup.render('warn', changed, { revision: 'r2' })
  await setup.untilApplied('warn', 'r2')
  expect(await keyOf('warned-other')).toBe('new')
  expect(await keyOf('warned')).toBe('mine')
  expect(await setup.live(object('warned-deleted'))).toBeUndefined()

  await setup.service.kill()
  await setup.service.start()
  await setup.untilQuiet()
  expect(await keyOf('warned')).toBe('mine')
  expect(await drifted('warn')).toContain('warned-deleted was deleted')

  await setup.request('warn', 'now')
  await setup.render('warn', changed, { revision: 'r2' })
  await setup.untilCondition('warn', 'Drifted', undefined)
  expect(await keyOf('warned')).toBe('value')
  expect(await setup.live(object('warned-deleted'))).toBeDefined()
})

test('without its annotation what has drifted is healed', async () => {
  await setup.sync('healed', [object('healed')])
  await setup.annotate('healed', { 'setpoint.dev/drift': 'warn' })
  await edit('healed', { key: 'mine' })
  await drifted('healed')
  await setup.annotate('healed', { 'setpoint.dev/drift': null })
  await setup.untilCondition('healed', 'Drifted', undefined)
  expect(await keyOf('healed')).toBe('value')
})

test('an edit that is taken back is no drift any more; fields that are not ours never were', async () => {
  await setup.sync('undone', [object('undone')])
  await setup.annotate('undone', { 'setpoint.dev/drift': 'warn' })
  await edit('undone', { key: 'mine', theirs: 'x' })
  expect(await drifted('undone')).not.toContain('theirs')
  await edit('undone', { key: 'value' })
  await setup.untilCondition('undone', 'Drifted', undefined)
})

test('ignore leaves an edit alone and says nothing', async () => {
  await setup.sync('ignored', [object('ignored'), object('ignored-other')])
  await setup.annotate('ignored', { 'setpoint.dev/drift': 'ignore' })
  await edit('ignored', { key: 'mine' })
  await setup.render('ignored', [object('ignored'), object('ignored-other', { key: 'new' })], {
    revision: 'r2',
  })
  await setup.untilApplied('ignored', 'r2')
  expect(await keyOf('ignored')).toBe('mine')
  expect(conditionOf(await setup.get('ignored'), 'Drifted')).toBeUndefined()
})

test('a fight over one field is backed off and names both managers, while other objects are healed at once', async () => {
  await setup.sync('fight', [object('fought'), object('peaceful')])
  const other = new AbortController()
  const rival = (async () => {
    while (!other.signal.aborted) {
      await edit('fought', { key: 'theirs' }, 'autoscaler')
      await waitFor(
        'we answer, or have stopped to',
        async () =>
          (await keyOf('fought')) === 'value' ||
          conditionOf(await setup.get('fight'), 'Drifted') !== undefined,
      )
      if (conditionOf(await setup.get('fight'), 'Drifted') !== undefined) return
    }
  })()
  const message = await drifted('fight')
  expect(message).toContain(`ConfigMap/${setup.namespace}/fought: data.key set by autoscaler`)
  expect(message).toContain('kustomize-controller and autoscaler keep undoing each other')
  await rival
  other.abort()
  const news = await setup.untilEvent('fight', ({ reason }) => reason === 'FieldsContested')
  expect(news.type).toBe('Warning')
  await edit('fought', { key: 'theirs' }, 'autoscaler')
  await edit('peaceful', { key: 'mine' })
  await waitFor('the other object is healed', async () => (await keyOf('peaceful')) === 'value')
  expect(await keyOf('fought')).toBe('theirs')
  await waitFor('it is healed after the pause', async () => (await keyOf('fought')) === 'value')
})
