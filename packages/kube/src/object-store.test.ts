import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { ObjectStore } from './object-store.ts'

function storeWithEvents() {
  const events: string[] = []
  const store = new ObjectStore({
    onUpsert: ({ metadata }, previous) =>
      events.push(`${previous ? 'update' : 'add'} ${metadata.name} ${metadata.uid}`),
    onDelete: ({ metadata }) => events.push(`delete ${metadata.name} ${metadata.uid}`),
  })
  return { store, events }
}

function object(name: string, uid: string, resourceVersion: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n', uid, resourceVersion } }
}

test('a full list tells what is new, changed and gone, and nothing of the rest', () => {
  const { store, events } = storeWithEvents()
  store.replace([object('same', '1', '1'), object('changed', '2', '1'), object('gone', '3', '1')])
  events.length = 0
  store.replace([object('same', '1', '1'), object('changed', '2', '2'), object('new', '4', '1')])
  expect(events).toEqual(['delete gone 3', 'update changed 2', 'add new 4'])
})

test('an object that was made anew under its old name is told as gone and come', () => {
  const { store, events } = storeWithEvents()
  store.upsert(object('a', '1', '5'))
  store.upsert(object('a', '2', '9'))
  expect(events).toEqual(['add a 1', 'delete a 1', 'add a 2'])
})

test('a deletion of what is not known is not told', () => {
  const { store, events } = storeWithEvents()
  store.delete(object('a', '1', '5'))
  expect(events).toEqual([])
})
