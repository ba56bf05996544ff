import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectKube, type KubeClient } from '@setpoint/kube'
import { type SharedCluster, sharedCluster, temporaryDirectory, testNamespace } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

const program = join(import.meta.dirname, '../../../bin/setpoint')
const stack = new AsyncDisposableStack()
let cluster: SharedCluster
let kube: KubeClient
let namespace: string
let directory: string

beforeAll(async () => {
  cluster = await sharedCluster()
  kube = stack.use(await connectKube({ kubeconfig: cluster.kubeconfig }))
  namespace = stack.use(await testNamespace(cluster)).name
  directory = stack.use(await temporaryDirectory('diff')).path
  await mkdir(join(directory, 'app'))
  await write({ a: '1' })
  const owned = {
    labels: { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': namespace },
  }
  for (const name of ['kept', 'old'])
    await kube.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name, ...owned },
      data: { a: '1' },
    })
  await kube.create({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { namespace, name: 'app', labels: { 'sharding.fluxcd.io/key': namespace } },
    spec: {
      interval: '10m',
      prune: true,
      targetNamespace: namespace,
      sourceRef: { kind: 'GitRepository', name: 'none' },
    },
  })
  await kube.mergePatch(
    { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
    { namespace, name: 'app' },
    {
      status: {
        inventory: {
          entries: ['kept', 'old'].map((name) => ({ id: `${namespace}_${name}__ConfigMap`, v: 'v1' })),
        },
      },
    },
    { subresource: 'status' },
  )
})
afterAll(() => stack.disposeAsync())

test('what would be created, configured and pruned is shown by object and field, and the exit code is 1', async () => {
  await write({ a: '2' }, 'new')
  const { code, output } = await diff()
  expect(output).toContain(`ConfigMap/${namespace}/kept configured\n  data.a\n    - 1\n    + 2\n`)
  expect(output).toContain(`ConfigMap/${namespace}/new created\n`)
  expect(output).toContain(`ConfigMap/${namespace}/old deleted\n`)
  expect(code).toBe(1)
})

test('nothing is written by it', async () => {
  const live = await kube.get({ group: '', kind: 'ConfigMap' }, { namespace, name: 'kept' })
  expect(live?.data).toEqual({ a: '1' })
  expect(await kube.get({ group: '', kind: 'ConfigMap' }, { namespace, name: 'new' })).toBeUndefined()
})

test('files that cannot be built are an error that names the file, with exit code 2', async () => {
  await writeFile(join(directory, 'app', 'bad.yaml'), 'kind: [')
  const { code, output } = await diff()
  expect(output).toContain('bad.yaml')
  expect(code).toBe(2)
})

async function write(data: Record<string, string>, ...others: string[]): Promise<void> {
  const objects = ['kept', ...others].map((name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data,
  }))
  await writeFile(
    join(directory, 'app', 'maps.yaml'),
    objects.map((object) => JSON.stringify(object)).join('\n---\n'),
  )
}

function diff(): Promise<{ code: number; output: string }> {
  const args = [
    'diff',
    'kustomization',
    'app',
    '-n',
    namespace,
    '--path',
    join(directory, 'app'),
    '--kubeconfig',
    cluster.kubeconfig,
  ]
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}
