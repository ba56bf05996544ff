import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectKube, type KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import {
  AWS_USER,
  newAgeKey,
  type SharedCluster,
  sharedCluster,
  sopsEncrypt,
  startAwsKms,
  temporaryDirectory,
  testNamespace,
} from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

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

test('a deletion beyond the prune budget says that it would wait', async () => {
  await patchKustomization({ metadata: { annotations: { 'setpoint.dev/prune-budget': '0' } } })
  const { output } = await diff()
  expect(output).toContain(
    `ConfigMap/${namespace}/old deleted: waits for an approval; the setpoint.dev/prune-budget allows 0\n`,
  )
})

test('approve sets the token of the list that waits, and only when it is the one that was seen', async () => {
  const message = 'ConfigMap/old waits; annotation setpoint.dev/prune-approve: 0123456789abcdef'
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const condition = { type: 'PruneBlocked', status: 'True', reason: 'ApprovalRequired', message }
  await patchKustomization({ status: { conditions: [{ ...condition, lastTransitionTime }] } }, 'status')
  const refused = await run('approve', 'ks', 'app', '--token', 'ffff')
  expect(refused.code).toBe(1)
  expect(refused.output).toContain('--token 0123456789abcdef')
  expect(await run('approve', 'ks', 'app')).toMatchObject({ code: 0 })
  const { metadata } = await patchKustomization({ status: { conditions: [] } }, 'status')
  expect(metadata.annotations).toMatchObject({ 'setpoint.dev/prune-approve': '0123456789abcdef' })
  expect((await run('approve', 'ks', 'app')).output).toContain('waits for no approval')
})

test('a field that spec.ignore names is no difference; another cluster is not compared with this one', async () => {
  await write({ a: '2' })
  await patchKustomization({ spec: { ignore: [{ paths: ['/data/a'], target: { kind: 'ConfigMap' } }] } })
  expect((await diff()).output).not.toContain(`ConfigMap/${namespace}/kept configured`)
  await patchKustomization({ spec: { ignore: null, kubeConfig: { secretRef: { name: 'remote' } } } })
  const refused = await diff()
  await patchKustomization({ spec: { kubeConfig: null } })
  expect(refused.output).toContain('is applied to another cluster (spec.kubeConfig)')
  expect(refused.code).toBe(2)
})

test('files that sops encrypted are compared decrypted, and their values are not shown', async () => {
  const age = await newAgeKey()
  const aws = stack.use(await startAwsKms())
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url)
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' }, data: { a: 'hunter2' } }
  const credentials = {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: AWS_USER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: AWS_USER.secretAccessKey,
  }
  const stringData = {
    'ada.agekey': age.identity,
    'sops.aws-kms': `aws_access_key_id: ${AWS_USER.accessKeyId}\naws_secret_access_key: ${AWS_USER.secretAccessKey}`,
  }
  await kube.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'keys' }, stringData })
  await patchKustomization({ spec: { decryption: { provider: 'sops', secretRef: { name: 'keys' } } } })
  for (const key of [{ age: age.recipient }, { kms: await aws.createKey() }]) {
    const rule = { ...key, encrypted_regex: '^data$' }
    const text = await sopsEncrypt('maps.json', JSON.stringify(map), rule, credentials)
    await writeFile(join(directory, 'app', 'maps.yaml'), text)
    const { output } = await diff()
    expect(output).toContain('data.a\n    - *** (not shown)\n    + *** (not shown)\n')
    expect(output).not.toMatch(/hunter2|ENC\[/)
  }
  vi.unstubAllEnvs()
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

function patchKustomization(patch: object, subresource?: 'status'): Promise<KubeObject> {
  return kube.mergePatch(
    { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
    { namespace, name: 'app' },
    patch,
    subresource === undefined ? {} : { subresource },
  )
}

const diff = () => run('diff', 'kustomization', 'app', '--path', join(directory, 'app'))

function run(...words: string[]): Promise<{ code: number; output: string }> {
  const args = [...words, '-n', namespace, '--kubeconfig', cluster.kubeconfig]
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}
