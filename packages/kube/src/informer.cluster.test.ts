import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  sharedCluster,
  startControlPlane,
  startTcpProxy,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedKubeconfig, configMap, configMaps, recordingInformer } from '../test/cluster.ts'
import { connectKube, type KubeClient, NoMatchError, startInformer } from './index.ts'

describe('on a server that stays up', () => {
  let client: KubeClient
  let namespace: Awaited<ReturnType<typeof testNamespace>>

  beforeAll(async () => {
    const cluster = await sharedCluster()
    client = await connectKube({ kubeconfig: cluster.kubeconfig })
    namespace = await testNamespace(cluster)
  })

  afterAll(async () => {
    await namespace[Symbol.asyncDispose]()
    await client[Symbol.asyncDispose]()
  })

  test('what is there, what comes, what changes and what goes is told, each once', async () => {
    const stop = new AbortController()
    await client.create(configMap(namespace.name, 'first', { a: '1' }))
    const { informer, events, errors } = recordingInformer(client, namespace.name, stop.signal)
    await informer.synced
    expect(events).toEqual(['add first', 'sync'])
    await waitFor('the watch', () => informer.healthy)
    await client.create(configMap(namespace.name, 'second', { a: '1' }))
    await client.mergePatch(configMaps, { namespace: namespace.name, name: 'second' }, { data: { a: '2' } })
    await client.delete(configMaps, { namespace: namespace.name, name: 'first' })
    await waitFor('three events', () => events.length === 5)
    expect(events.slice(2)).toEqual(['add second', 'update second', 'delete first'])
    expect(informer.get(namespace.name, 'second')).toMatchObject({ kind: 'ConfigMap', data: { a: '2' } })
    expect(informer.list()).toHaveLength(1)
    expect(errors).toEqual([])
    expect(events).not.toContain('restored')
    stop.abort()
    await waitFor('the end', () => !informer.healthy)
  })

  test('metadata alone is enough to follow objects', async () => {
    const stop = new AbortController()
    await client.apply(configMap(namespace.name, 'slim', { a: '1' }), { fieldManager: 'test' })
    const seen: unknown[] = []
    const informer = startInformer(client, {
      gvk: { group: '', kind: 'ConfigMap' },
      namespace: namespace.name,
      fieldSelector: 'metadata.name=slim',
      metadataOnly: true,
      signal: stop.signal,
      transform: ({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        metadata: { name: metadata.name },
      }),
      onUpsert: (object) => seen.push(object),
      onDelete: () => undefined,
    })
    await informer.synced
    expect(seen).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'slim' } }])
    stop.abort()
  })

  test('a callback that throws is reported and the watch goes on', async () => {
    const stop = new AbortController()
    const errors: unknown[] = []
    const seen: string[] = []
    const informer = startInformer(client, {
      gvk: configMaps,
      namespace: namespace.name,
      labelSelector: 'app=throws',
      signal: stop.signal,
      onUpsert: ({ metadata }) => {
        seen.push(metadata.name)
        throw new Error('callback')
      },
      onDelete: () => undefined,
      onError: (error) => errors.push(error),
    })
    await informer.synced
    for (const name of ['throws-1', 'throws-2']) {
      const object = configMap(namespace.name, name, {})
      object.metadata.labels = { app: 'throws' }
      await client.create(object)
    }
    await waitFor('both objects', () => seen.length === 2)
    expect(errors).toEqual([new Error('callback'), new Error('callback')])
    stop.abort()
  })

  test('an informer that is stopped before its first list says so', async () => {
    const signal = AbortSignal.abort()
    const { informer } = recordingInformer(client, namespace.name, signal)
    await expect(informer.synced).rejects.toThrow('the informer was stopped')
  })

  test('more watches than one connection may carry are all served', async () => {
    const stop = new AbortController()
    const informers = Array.from({ length: 150 }, () =>
      recordingInformer(client, namespace.name, stop.signal),
    )
    await waitFor('150 watches', () => informers.every(({ informer }) => informer.healthy))
    expect(informers.flatMap(({ errors }) => errors)).toEqual([])
    stop.abort()
  })

  test('a kind whose CRD is installed later is picked up', async () => {
    const stop = new AbortController()
    const group = `${namespace.name}.example.test`
    const errors: unknown[] = []
    const informer = startInformer(client, {
      gvk: { group, kind: 'Gadget' },
      signal: stop.signal,
      onUpsert: () => undefined,
      onDelete: () => undefined,
      onError: (error) => errors.push(error),
    })
    await waitFor('the first error', () => errors.length > 0)
    expect(errors[0]).toBeInstanceOf(NoMatchError)
    await client.create(gadgetDefinition(group))
    await informer.synced
    const definitions = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }
    await client.delete(definitions, { name: `gadgets.${group}` })
    stop.abort()
  })
})

describe('on a server that goes away', () => {
  test('no object is missed over a restart, nor when the server has forgotten the past', async () => {
    await using control = await startControlPlane()
    await using admin = await connectKube({ kubeconfig: control.kubeconfig })
    await using directory = await temporaryDirectory('informer')
    await using proxy = await startTcpProxy(Number(new URL(admin.server).port))
    const kubeconfig = join(directory.path, 'kubeconfig')
    const cluster = { server: `https://127.0.0.1:${proxy.port}` }
    await writeFile(kubeconfig, await changedKubeconfig(control.kubeconfig, { cluster }))
    await using client = await connectKube({ kubeconfig })
    const stop = new AbortController()
    const namespace = 'default'
    for (const name of ['stays', 'leaves']) await admin.create(configMap(namespace, name, {}))

    const { informer, events, errors } = recordingInformer(client, namespace, stop.signal)
    await informer.synced
    await waitFor('the watch', () => informer.healthy)

    // A plain restart: written to as soon as it is back, whether the informer is back or not.
    await control.stopApiServer()
    await waitFor('the informer notices', () => !informer.healthy)
    await control.startApiServer()
    await waitFor('the first write', () => admin.create(configMap(namespace, 'written-early', {})))
    await waitFor('the object', () => informer.get(namespace, 'written-early'))
    await waitFor('the watch', () => informer.healthy)
    expect(events.filter((event) => event === 'add stays')).toHaveLength(1)
    expect(events).toContain('restored')

    // Cut off while the server restarts and changes: the resource version is now older than the server's memory.
    proxy.cut()
    await waitFor('the informer notices', () => !informer.healthy)
    await admin.delete(configMaps, { namespace, name: 'leaves' })
    await admin.delete(configMaps, { namespace, name: 'written-early' })
    const again = await admin.create(configMap(namespace, 'written-early', { again: 'yes' }))
    await control.stopApiServer()
    await control.startApiServer()
    await waitFor('the second write', () => admin.create(configMap(namespace, 'new', {})))
    const syncs = events.filter((event) => event === 'sync').length
    proxy.mend()
    await waitFor('a full list', () => events.filter((event) => event === 'sync').length > syncs)
    expect(events).toContain('delete leaves')
    expect(events.filter((event) => event.endsWith('written-early'))).toEqual([
      'add written-early',
      'delete written-early',
      'add written-early',
    ])
    expect(informer.get(namespace, 'written-early')?.metadata.uid).toBe(again.metadata.uid)
    expect(
      informer
        .list()
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    ).toEqual(['new', 'stays', 'written-early'])
    expect(errors.length).toBeGreaterThan(0)
    stop.abort()
  })
})

function gadgetDefinition(group: string) {
  const schema = { openAPIV3Schema: { type: 'object' } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}
