import { gzipSync } from 'node:zlib'
import type { OCIRepository } from '@setpoint/contracts'
import {
  type CosignKey,
  newCosignKey,
  type RegistryServer,
  type Sigstore,
  startRegistry,
  startSigstore,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
const otherContent = gzipSync(Buffer.alloc(2048))
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

describe('without a key', () => {
  const ada = { email: 'ada@example.com', issuer: 'https://issuer.example.com' }
  let sigstore: Sigstore
  beforeAll(async () => {
    sigstore = stack.use(await startSigstore())
    await setup.createSecret('root', { 'trusted_root.json': sigstore.trustedRoot })
  }, START_TIMEOUT_MS)

  const by = (subject: string, issuer = '^https://issuer\\.example\\.com$', name = 'root') => ({
    provider: 'cosign' as const,
    trustedRootSecretRef: { name },
    matchOIDCIdentity: [
      { subject: '^somebody@else$', issuer },
      { subject, issuer },
    ],
  })

  test.each(['bundle', 'payload'] as const)(
    'an artifact that an identity signed (%s) is taken',
    async (form) => {
      const { url, digest, image } = await push(`keyless/${form}`)
      await sigstore.sign(image, ada, form)
      await setup.create(`keyless-${form}`, { url, verify: by('^ada@example\\.com$') })
      const verified = conditionOf(await setup.untilReady(`keyless-${form}`, 'True'), 'SourceVerified')
      expect(verified?.message).toBe(
        `verified signature of revision latest@${digest} by ada@example.com (https://issuer.example.com)`,
      )
    },
  )

  test('another identity, issuer or Sigstore, and a key, are refused', async () => {
    const { url, image } = await push('keyless/refused')
    await using other = await startSigstore()
    await setup.createSecret('other-root', { 'trusted_root.json': other.trustedRoot })
    for (const form of ['bundle', 'payload'] as const) await sigstore.sign(image, ada, form)
    await setup.create('not-bob', { url, verify: by('^bob@example\\.com$') })
    await setup.create('not-issuer', { url, verify: by('ada', '^https://other') })
    await setup.create('not-root', { url, verify: by('ada', '.*', 'other-root') })
    await setup.create('not-pattern', { url, verify: by('(') })
    const keyed = await push('keyless/keyed')
    for (const form of ['bundle', 'payload'] as const) await key.sign(keyed.image, form)
    await setup.create('not-key', { url: keyed.url, verify: by('ada') })
    const says = async (name: string) =>
      readyMessage(await setup.untilReady(name, 'False', 'VerificationError'))
    expect(await says('not-bob')).toContain('signed by ada@example.com (https://issuer.example.com), whom')
    expect(await says('not-issuer')).toContain('whom spec.verify.matchOIDCIdentity does not name')
    expect(await says('not-root')).toContain('the signature proves nothing')
    expect(await says('not-pattern')).toContain('is no regular expression')
    expect(await says('not-key')).toContain('the signature')
  })

  test('a signature of another manifest, put beside this one, is refused', async () => {
    const signed = await push('keyless/moved')
    await sigstore.sign(signed.image, ada, 'payload')
    const digest = await registry.pushLayers('keyless/moved', 'other', [
      { mediaType: CONTENT, content: otherContent },
    ])
    const manifests = `http://${registry.host}/v2/keyless/moved/manifests`
    const tagOf = (of: string) => `${manifests}/${of.replace(':', '-')}.sig`
    const accept = 'application/vnd.oci.image.manifest.v1+json'
    const signature = await (await fetch(tagOf(signed.digest), { headers: { accept } })).text()
    const moved = { method: 'PUT', headers: { 'content-type': accept }, body: signature }
    expect((await fetch(tagOf(digest), moved)).status).toBe(201)
    await setup.create('moved', { url: signed.url, ref: { tag: 'other' }, verify: by('ada') })
    const refused = await setup.untilReady('moved', 'False', 'VerificationError')
    expect(readyMessage(refused)).toContain('the signature is of another manifest')
  })

  test.each([
    ['no root', {}, 'has no trusted_root.json'],
    ['a root that is none', { 'trusted_root.json': '{}' }, 'names no authority of certificates'],
  ])('%s in the Secret', async (what, data, says) => {
    const name = what.replaceAll(' ', '-')
    await setup.createSecret(name, { ...data, notes: 'x' })
    const { url } = await push('keyless/roots')
    await setup.create(name, { url, verify: by('ada', '.*', name) })
    expect(readyMessage(await setup.untilReady(name, 'False', 'VerificationError'))).toContain(says)
  })
})

test('by nobody that is named, or by notation: not implemented', async () => {
  const { url } = await push('signed/keyless')
  await setup.create('keyless', { url, verify: { provider: 'cosign' } })
  expect(readyMessage(await setup.untilReady('keyless', 'False', 'NotImplemented'))).toContain(
    'without secretRef and trustedRootSecretRef',
  )
  await setup.create('notation', { url, verify: { ...verify, provider: 'notation' } })
  expect(readyMessage(await setup.untilReady('notation', 'False', 'NotImplemented'))).toContain(
    'verify.provider',
  )
})
