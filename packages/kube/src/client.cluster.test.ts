import { sharedCluster, testNamespace, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMap, configMaps, whoAmI } from '../test/cluster.ts'
import { connectKube, KubeApiError, type KubeClient, NoMatchError } from './index.ts'

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

const key = (name: string) => ({ namespace: namespace.name, name })

describe('apply', () => {
  test('an object that is not there is created', async () => {
    const created = await client.apply(configMap(namespace.name, 'new', { a: '1' }), { fieldManager: 'test' })
    expect(created).toMatchObject({ kind: 'ConfigMap', data: { a: '1' }, metadata: { name: 'new' } })
    expect(created.metadata.managedFields?.[0]).toMatchObject({ manager: 'test', operation: 'Apply' })
  })

  test('the same object again changes nothing', async () => {
    const object = configMap(namespace.name, 'same', { a: '1' })
    const first = await client.apply(object, { fieldManager: 'test' })
    const second = await client.apply(object, { fieldManager: 'test' })
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })

  test('a field of another manager is a conflict without force, and taken over with it', async () => {
    await client.apply(configMap(namespace.name, 'shared', { a: '1' }), { fieldManager: 'first' })
    const other = configMap(namespace.name, 'shared', { a: '2' })
    const refused = client.apply(other, { fieldManager: 'second', force: false })
    await expect(refused).rejects.toThrow(KubeApiError)
    await expect(refused).rejects.toMatchObject({ code: 409, reason: 'Conflict' })
    await expect(refused).rejects.toThrow('.data.a')
    expect(await client.apply(other, { fieldManager: 'second' })).toMatchObject({ data: { a: '2' } })
  })

  test('a dry run answers with the result and writes nothing', async () => {
    await client.apply(configMap(namespace.name, 'dry', { a: '1' }), { fieldManager: 'test' })
    const changed = configMap(namespace.name, 'dry', { a: '2' })
    const answer = await client.apply(changed, { fieldManager: 'test', dryRun: true })
    expect(answer).toMatchObject({ data: { a: '2' } })
    expect(await client.get(configMaps, key('dry'))).toMatchObject({ data: { a: '1' } })
  })

  test('metadata alone still says what the object is', async () => {
    const options = { fieldManager: 'test', metadataOnly: true }
    const answer = await client.apply(configMap(namespace.name, 'slim', { a: '1' }), options)
    expect(answer).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'slim' } })
    expect(answer.data).toBeUndefined()
  })

  test('an object that the server rejects is named in the error', async () => {
    const wrong = { ...configMap(namespace.name, 'Wrong_Name', {}) }
    const refused = client.apply(wrong, { fieldManager: 'test' })
    await expect(refused).rejects.toMatchObject({ code: 422, reason: 'Invalid' })
    await expect(refused).rejects.toThrow('Wrong_Name')
  })

  test('a namespaced object without a namespace is refused before it is sent', async () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'lost' } }
    const refused = client.apply(object, { fieldManager: 'test' })
    await expect(refused).rejects.toThrow(
      'ConfigMap/lost: ConfigMap is namespaced, but the object has no namespace',
    )
  })

  test('a namespace that does not exist is a 404 that names it', async () => {
    const refused = client.apply(configMap('nowhere', 'a', {}), { fieldManager: 'test' })
    await expect(refused).rejects.toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' })
  })

  test('a thousand applies at once all arrive, within the streams that the server allows', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `many-${index}`)
    const applied = await Promise.all(
      names.map((name) => client.apply(configMap(namespace.name, name, { name }), { fieldManager: 'test' })),
    )
    expect(applied.map((object) => object.metadata.name)).toEqual(names)
  })
})

describe('get, list and delete', () => {
  test('an object that is not there is undefined, and deleting it says false', async () => {
    expect(await client.get(configMaps, key('absent'))).toBeUndefined()
    expect(await client.delete(configMaps, key('absent'))).toBe(false)
  })

  test('a list reads all pages and gives every item its kind', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) {
      const object = { ...configMap(namespace.name, name, {}) }
      object.metadata.labels = { paged: 'yes' }
      await client.create(object)
    }
    const options = { namespace: namespace.name, labelSelector: 'paged=yes', limit: 2 }
    for (const metadataOnly of [true, false]) {
      const items = await client.list(configMaps, { ...options, metadataOnly })
      expect(items.map((item) => `${item.apiVersion} ${item.kind} ${item.metadata.name}`)).toEqual([
        'v1 ConfigMap page-1',
        'v1 ConfigMap page-2',
        'v1 ConfigMap page-3',
      ])
    }
  })

  test('a delete with the uid of another object is refused with a 409 and deletes nothing', async () => {
    await client.create(configMap(namespace.name, 'kept', {}))
    const uid = '00000000-0000-0000-0000-000000000000'
    const refused = client.delete(configMaps, key('kept'), { uid })
    await expect(refused).rejects.toMatchObject({ code: 409, reason: 'Conflict' })
    expect(await client.get(configMaps, key('kept'))).toBeDefined()
  })

  test('a delete with the right uid deletes', async () => {
    const { metadata } = await client.create(configMap(namespace.name, 'gone', {}))
    expect(await client.delete(configMaps, key('gone'), { uid: metadata.uid })).toBe(true)
    expect(await client.get(configMaps, key('gone'))).toBeUndefined()
  })

  test('creating what is there is a conflict', async () => {
    await client.create(configMap(namespace.name, 'twice', {}))
    const refused = client.create(configMap(namespace.name, 'twice', {}))
    await expect(refused).rejects.toMatchObject({ code: 409, reason: 'AlreadyExists' })
  })
})

describe('patches', () => {
  test('a merge patch changes the fields that it names, and null removes one', async () => {
    await client.create(configMap(namespace.name, 'merged', { a: '1', b: '2' }))
    const patched = await client.mergePatch(configMaps, key('merged'), { data: { a: null, c: '3' } })
    expect(patched.data).toEqual({ b: '2', c: '3' })
  })

  test('a JSON patch whose test fails changes nothing', async () => {
    await client.create(configMap(namespace.name, 'tested', { a: '1' }))
    const refused = client.jsonPatch(configMaps, key('tested'), [
      { op: 'test', path: '/data/a', value: '2' },
      { op: 'replace', path: '/data/a', value: '3' },
    ])
    await expect(refused).rejects.toMatchObject({ code: 422 })
    expect(await client.get(configMaps, key('tested'))).toMatchObject({ data: { a: '1' } })
  })

  test('a status patch changes the status alone', async () => {
    const metadata = { name: 'balanced', namespace: namespace.name }
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: 'a' } }
    await client.create({ apiVersion: 'v1', kind: 'Service', metadata, spec })
    const patch = {
      spec: { selector: { app: 'b' } },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }
    const services = { group: '', kind: 'Service' }
    const patched = await client.mergePatch(services, key('balanced'), patch, { subresource: 'status' })
    expect(patched).toMatchObject({ spec: { selector: { app: 'a' } }, status: patch.status })
  })
})

describe('discovery', () => {
  test('a kind is found at its preferred version and at the version asked for', async () => {
    const preferred = await client.resource({ group: 'autoscaling', kind: 'HorizontalPodAutoscaler' })
    expect(preferred).toMatchObject({ version: 'v2', plural: 'horizontalpodautoscalers', namespaced: true })
    const asked = { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' }
    expect(await client.resource(asked)).toMatchObject({ version: 'v1' })
  })

  test('a kind that is not served is an error that names it, until its CRD is installed', async () => {
    const group = `${namespace.name}.example.test`
    const widget = { group, version: 'v1', kind: 'Widget' }
    await expect(client.resource(widget)).rejects.toThrow(NoMatchError)
    await expect(client.resource(widget)).rejects.toThrow(
      `no matches for kind "Widget" in version "${group}/v1"`,
    )
    await client.create(widgetDefinition(group))
    client.invalidateDiscovery()
    const found = await waitFor('the new kind', () => client.resource(widget))
    expect(found).toMatchObject({ plural: 'widgets', namespaced: true })
    const object = {
      apiVersion: `${group}/v1`,
      kind: 'Widget',
      metadata: { name: 'w', namespace: namespace.name },
    }
    await waitFor('the new kind is served', () => client.apply(object, { fieldManager: 'test' }))
    await client.delete(
      { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' },
      { name: `widgets.${group}` },
    )
    await waitFor('an object of a removed kind is an error, not absent', () =>
      client.get(widget, key('w')).then(
        () => false,
        (error: unknown) => error instanceof NoMatchError,
      ),
    )
  })
})

describe('identity', () => {
  test('a request can act as somebody else', async () => {
    const name = `system:serviceaccount:${namespace.name}:default`
    expect(await whoAmI(client, name)).toBe(name)
    const refused = client.get(configMaps, key('absent'), { impersonate: name })
    await expect(refused).rejects.toMatchObject({ code: 403, reason: 'Forbidden' })
  })
})

function widgetDefinition(group: string) {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}
