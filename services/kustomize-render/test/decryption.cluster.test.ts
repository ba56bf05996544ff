import { execFileSync } from 'node:child_process'
import type { KubeObject } from '@setpoint/manifest'
import { newAgeKey, sopsEncrypt } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app, configMap, dataOf, type Files, type Setup, startSetup } from './harness.ts'

const VALUES = '^(data|stringData)$'
const ours = await newAgeKey()
const theirs = await newAgeKey()
const decryption = { provider: 'sops' as const, secretRef: { name: 'keys' } }

let setup: Setup
let files: Files
beforeAll(async () => {
  setup = await startSetup([])
  files = await encryptedFiles()
  await setup.push(files, 'main@sha1:1')
  await keep('keys', { 'ada.agekey': ours.identity })
})
afterAll(() => setup[Symbol.asyncDispose]())

async function encryptedFiles(): Promise<Files> {
  const rule = { age: ours.recipient }
  const whole = await sopsEncrypt('a.yaml', secret('whole'), { ...rule, encrypted_regex: VALUES })
  const foreign = await sopsEncrypt('a.yaml', secret('foreign'), {
    age: theirs.recipient,
    encrypted_regex: VALUES,
  })
  const second = await sopsEncrypt('a.yaml', secret('second'), { ...rule, encrypted_regex: VALUES })
  const values = await sopsEncrypt('values.yaml', 'password: hunter2\n', rule)
  return {
    'whole/secret.yaml': whole,
    'joined/secrets.yaml': `${whole}---\n${second}`,
    'generated/kustomization.yaml': `
resources: [target.yaml]
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
- name: files
  files: [values.yaml, renamed.json=data.json, blob=blob.bin]
- name: envs
  envs: [shell.env]
configMapGenerator:
- name: plain
  files: [values.yaml]
patches:
- path: patch.yaml
`,
    'generated/values.yaml': values,
    'generated/data.json': await sopsEncrypt('data.json', '{"password": "hunter2"}', rule),
    'generated/blob.bin': await sopsEncrypt('blob.bin', 'hunter2 \t', rule),
    'generated/shell.env': await sopsEncrypt('shell.env', 'PASSWORD=hunter2\n', rule),
    'generated/target.yaml': configMap('target'),
    'generated/patch.yaml': await sopsEncrypt('patch.yaml', configMap('target', 'hunter2'), {
      ...rule,
      encrypted_regex: '^data$',
    }),
    'wrapped/secret.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'wrapped' },
      data: { 'values.yaml': base64(values), other: base64('as it is') },
    }),
    'mixed/one.yaml': whole,
    'mixed/two.yaml': foreign,
    'changed/secret.yaml': whole.replace('name: whole', 'name: another'),
    'off/secret.yaml': whole.replace(
      'name: whole',
      'name: "off"\n    annotations:\n        kustomize.toolkit.fluxcd.io/decrypt: Disabled',
    ),
    'large/kustomization.yaml': 'secretGenerator: [{name: large, files: [large.yaml]}]\n',
    'large/large.yaml': `${values}\nfiller: ${'x'.repeat(5 * 1024 * 1024)}\n`,
    'variable/config.yaml': configMap('variable', '${color}'),
    ...app('bystander'),
  }
}

test('a Secret that was encrypted as a whole comes out decrypted, with the labels of the build', async () => {
  await setup.create('whole', { decryption, targetNamespace: 'elsewhere' })
  const [object] = await rendered('whole')
  expect(object).toMatchObject({ metadata: { name: 'whole', namespace: 'elsewhere' } })
  expect(valuesOf(object)).toEqual({ password: 'hunter2' })
  expect(object).not.toHaveProperty('sops')
})

test('files that were encrypted one by one and then joined come out decrypted', async () => {
  await setup.create('joined', { decryption })
  expect((await rendered('joined')).map(valuesOf)).toEqual([{ password: 'hunter2' }, { password: 'hunter2' }])
})

test('files and env files of a secretGenerator and patch files are decrypted, those of a configMapGenerator are not', async () => {
  await setup.create('generated', { decryption })
  const objects = await rendered('generated')
  const named = (name: string) => objects.find((object) => object.metadata.name === name)
  expect(valuesOf(named('files'))).toEqual({
    'values.yaml': 'password: hunter2\n',
    'renamed.json': '{\n\t"password": "hunter2"\n}\n',
    blob: 'hunter2 \t',
  })
  expect(valuesOf(named('envs'))).toEqual({ PASSWORD: 'hunter2' })
  expect(dataOf(named('target'))).toBe('hunter2')
  expect(JSON.stringify(named('plain'))).toContain('ENC[AES256_GCM')
})

test('values of a Secret that are encrypted files come out decrypted', async () => {
  await setup.create('wrapped', { decryption })
  const [object] = await rendered('wrapped')
  expect(valuesOf(object)).toEqual({ 'values.yaml': 'password: hunter2\n', other: 'as it is' })
})

test('an object with the annotation decrypt: disabled stays as it is', async () => {
  await setup.create('off', { decryption })
  expect(JSON.stringify(await rendered('off'))).toContain('ENC[AES256_GCM')
})

test('a missing key for one of many files is named with the file and the recipient, and nothing is rendered', async () => {
  await setup.create('mixed', { decryption })
  const message = await setup.untilProblem('mixed', 'BuildFailed')
  expect(message).toBe(
    `cannot decrypt Secret/foreign (mixed/two.yaml): no key opens it; it is encrypted for age ${theirs.recipient}`,
  )
  expect((await setup.last('mixed'))?.set).toBeUndefined()
})

test('a file that was changed after it was encrypted is named', async () => {
  await setup.create('changed', { decryption })
  const message = await setup.untilProblem('changed', 'BuildFailed')
  expect(message).toContain(
    'cannot decrypt Secret/another (changed/secret.yaml): was changed after it was encrypted',
  )
})

test('an encrypted Secret without spec.decryption is named', async () => {
  await setup.create('locked', { path: './whole' })
  expect(await setup.untilProblem('locked', 'ReconciliationFailed')).toBe(
    'Secret/whole (whole/secret.yaml) is SOPS encrypted, configuring decryption is required for this secret to be reconciled',
  )
})

test('an account to ask key services as is refused where it is not allowed, before anything is read', async () => {
  await setup.create('gated', {
    path: './whole',
    decryption: { provider: 'sops', serviceAccountName: 'kms' },
  })
  expect(await setup.untilProblem('gated', 'FeatureGateDisabled')).toContain(
    '--object-level-workload-identity',
  )
  expect((await setup.last('gated'))?.problem?.stalled).toBe(true)
})

test('an encrypted file of more than 5 MiB is refused', async () => {
  await setup.create('large', { decryption })
  expect(await setup.untilProblem('large', 'BuildFailed')).toMatch(
    /cannot decrypt large\/large.yaml: .*5 MiB/,
  )
})

test('a key that is none is named, and not shown', async () => {
  await keep('broken', { 'ada.agekey': 'AGE-SECRET-KEY-HUNTER2' })
  await setup.create('broken', {
    path: './whole',
    decryption: { ...decryption, secretRef: { name: 'broken' } },
  })
  const message = await setup.untilProblem('broken', 'BuildFailed')
  expect(message).toContain(`key ada.agekey of Secret ${setup.namespace}/broken`)
  expect(message).not.toContain('HUNTER2')
})

test('a Secret with keys that appears wakes the Kustomization that waits for it, whatever its interval', async () => {
  await setup.create('early', {
    path: './whole',
    interval: '60m',
    decryption: { ...decryption, secretRef: { name: 'late' } },
  })
  const message = await setup.untilProblem('early', 'BuildFailed')
  expect(message).toBe(`Secret ${setup.namespace}/late of spec.decryption does not exist`)
  await keep('late', { 'ada.agekey': ours.identity })
  await rendered('early')
})

test('a ConfigMap with variables that changes wakes its Kustomization and no other', async () => {
  const { namespace, kube } = setup
  const color = (value: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'colors' },
    data: { color: value },
  })
  await kube.create(color('red'))
  const postBuild = { substituteFrom: [{ kind: 'ConfigMap' as const, name: 'colors' }] }
  await setup.create('variable', { interval: '60m', postBuild })
  await setup.create('bystander', { interval: '60m' })
  await rendered('bystander')
  expect(dataOf((await rendered('variable'))[0])).toBe('red')

  const before = await setup.metric('setpoint_renders_total')
  await kube.apply(color('blue') as KubeObject, { fieldManager: 'test' })
  const shows = async () => dataOf((await setup.objects((await setup.last('variable')) as never))[0])
  await setup.until('variable', 'has other objects', () => true)
  await expect.poll(shows, { timeout: 20_000 }).toBe('blue')
  expect(await setup.metric('setpoint_renders_total')).toBe(before + 1)
})

test('no plain text and no key is in the logs or on the disk of NATS', async () => {
  const secrets = 'hunter2|HUNTER2|AGE-SECRET-KEY-1[A-Z0-9]'
  expect(setup.service.child.logs()).not.toMatch(new RegExp(secrets))
  expect(() => execFileSync('grep', ['-rqaE', secrets, setup.nats.storeDir])).toThrow()
})

async function rendered(name: string): Promise<KubeObject[]> {
  return setup.objects(await setup.untilRendered(name, 'main@sha1:1'))
}

async function keep(name: string, data: Record<string, string>): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))
  const metadata = { namespace: setup.namespace, name }
  await setup.kube.create({ apiVersion: 'v1', kind: 'Secret', metadata, data: encoded })
}

function secret(name: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n    name: ${name}\nstringData:\n    password: hunter2\n`
}

function valuesOf(object: KubeObject | undefined): Record<string, string> {
  const entries = Object.entries((object?.data ?? {}) as Record<string, string>)
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
