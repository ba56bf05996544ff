import { gzipSync } from 'node:zlib'
import type { OCIRepository } from '@setpoint/contracts'
import { type CosignKey, newCosignKey, type RegistryServer, startRegistry } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startOciSetup } from './harness.ts'

const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip'
const START_TIMEOUT_MS = 900_000
const stack = new AsyncDisposableStack()
let setup: Setup<OCIRepository>
let registry: RegistryServer
let key: CosignKey
let other: CosignKey

beforeAll(async () => {
  setup = stack.use(await startOciSetup())
  registry = stack.use(await startRegistry())
  key = stack.use(await newCosignKey())
  other = stack.use(await newCosignKey())
  await setup.createSecret('cosign', { 'cosign.pub': key.publicKey })
}, START_TIMEOUT_MS)
afterAll(() => stack.disposeAsync())

/** An archive without files. */
const content = gzipSync(Buffer.alloc(1024))
const verify = { provider: 'cosign', secretRef: { name: 'cosign' } } as const

async function push(repository: string): Promise<{ url: string; digest: string; image: string }> {
  const digest = await registry.pushLayers(repository, 'latest', [{ mediaType: CONTENT, content }])
  const name = `${registry.host}/${repository}`
  return { url: `oci://${name}`, digest, image: `${name}@${digest}` }
}

test.each(['bundle', 'payload'] as const)(
  'an artifact that cosign signed (%s) is taken, and says so',
  async (form) => {
    const { url, digest, image } = await push(`signed/${form}`)
    await key.sign(image, form)
    await setup.create(form, { url, verify })
    const verified = conditionOf(await setup.untilReady(form, 'True'), 'SourceVerified')
    expect(verified).toMatchObject({
      status: 'True',
      message: `verified signature of revision latest@${digest} with key 'cosign.pub'`,
    })
  },
)

test('what nobody signed, or somebody else, is refused until it is signed; an artifact of before stays', async () => {
  const { url, image } = await push('signed/late')
  await setup.create('late', { url })
  const before = await setup.untilReady('late', 'True')
  expect(conditionOf(before, 'SourceVerified')).toBeUndefined()
  await setup.patchSpec('late', { verify })
  const unsigned = await setup.untilReady('late', 'False', 'VerificationError')
  expect(readyMessage(unsigned)).toContain('has no signature of')
  expect(conditionOf(unsigned, 'SourceVerified')?.status).toBe('False')
  expect(unsigned.status?.artifact).toEqual(before.status?.artifact)
  for (const form of ['bundle', 'payload'] as const) await other.sign(image, form)
  await setup.request('late')
  await setup.until('late', 'names the stranger', (object) =>
    readyMessage(object).includes('by none of the keys'),
  )
  await key.sign(image, 'payload')
  await setup.request('late')
  await setup.untilReady('late', 'True')
})

test('other keys in the Secret: the signature is looked at again', async () => {
  const { url, image } = await push('signed/rotated')
  await key.sign(image, 'bundle')
  await setup.createSecret('rotated', { 'cosign.pub': key.publicKey, notes: 'no key' })
  const spec = { url, verify: { ...verify, secretRef: { name: 'rotated' } } }
  await setup.create('rotated', spec)
  await setup.untilReady('rotated', 'True')
  const secret = { group: '', version: 'v1', kind: 'Secret' }
  const stringData = { 'cosign.pub': other.publicKey }
  await setup.kube.mergePatch(secret, { namespace: setup.namespace, name: 'rotated' }, { stringData })
  await setup.request('rotated')
  await setup.untilReady('rotated', 'False', 'VerificationError')
})

test.each<[string, string, Record<string, string> | undefined, string]>([
  ['a Secret that is not there', 'nosecret', undefined, 'does not exist'],
  ['a Secret without keys', 'nokeys', { notes: 'x' }, 'has no key that ends in .pub'],
  ['a key that is none', 'badkey', { 'cosign.pub': 'x' }, 'no public key in PEM'],
])('%s', async (_what, name, data, message) => {
  if (data !== undefined) await setup.createSecret(name, data)
  const { url } = await push('signed/keys')
  await setup.create(name, { url, verify: { ...verify, secretRef: { name } } })
  expect(readyMessage(await setup.untilReady(name, 'False', 'VerificationError'))).toContain(message)
})

test('without a key, by identity or by notation: not implemented', async () => {
  const { url } = await push('signed/keyless')
  await setup.create('keyless', { url, verify: { provider: 'cosign' } })
  expect(readyMessage(await setup.untilReady('keyless', 'False', 'NotImplemented'))).toContain(
    'without secretRef',
  )
  await setup.create('notation', { url, verify: { ...verify, provider: 'notation' } })
  expect(readyMessage(await setup.untilReady('notation', 'False', 'NotImplemented'))).toContain(
    'verify.provider',
  )
})
