import { sharedCluster, testNamespace, waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { configMap, configMaps } from '../test/cluster.ts'
import { connectKube, type DataReference, ReferenceWatch } from './index.ts'

test('who refers to a ConfigMap is told when it comes, changes and goes, and nobody else is', async () => {
  await using stack = new AsyncDisposableStack()
  const cluster = await sharedCluster()
  const client = stack.use(await connectKube({ kubeconfig: cluster.kubeconfig }))
  const namespace = stack.use(await testNamespace(cluster)).name
  const stop = new AbortController()
  stack.defer(() => stop.abort())
  const told: string[] = []
  const onError = (error: unknown) => expect.fail(String(error))
  const watch = new ReferenceWatch(client, {
    signal: stop.signal,
    onChange: (owner) => told.push(owner),
    onError,
  })
  const reference = (name: string): DataReference => ({ kind: 'ConfigMap', namespace, name })
  const untilTold = (count: number) => waitFor(`${count} are told`, () => told.length === count)

  watch.set('one', [reference('shared')])
  watch.set('other', [reference('unrelated')])
  // The first list: what they read before it may have changed.
  await untilTold(2)

  await client.create(configMap(namespace, 'shared', { a: '1' }))
  await untilTold(3)
  watch.set('late', [reference('shared')])
  await client.mergePatch(configMaps, { namespace, name: 'shared' }, { data: { a: '2' } })
  await untilTold(5)
  watch.set('one', [])
  await client.delete(configMaps, { namespace, name: 'shared' })
  await untilTold(6)
  expect(told).toEqual(['one', 'other', 'one', 'one', 'late', 'late'])
})
