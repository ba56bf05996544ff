import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { verifyBundle } from './bundle.ts'
import { readPublicKeys } from './public-keys.ts'
import { verifySimpleSigning } from './simple-signing.ts'

const digest = `sha256:${'a'.repeat(64)}`
const other = `sha256:${'b'.repeat(64)}`

const pairs = {
  ecdsa: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ed25519: generateKeyPairSync('ed25519'),
}
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
const trusted = readPublicKeys(
  new Map(Object.entries(pairs).map(([name, { publicKey }]) => [`${name}.pub`, pemOf(publicKey)])),
)
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const signWith = (key: KeyObject, bytes: Uint8Array) =>
  sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key).toString('base64')

function payload(change: object = {}): Buffer {
  const critical = {
    identity: { 'docker-reference': 'example.com/app' },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
    ...change,
  }
  return Buffer.from(JSON.stringify({ critical, optional: null }))
}

function bundle(key: KeyObject, change: object = {}): Buffer {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: digest.slice('sha256:'.length) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    ...change,
  }
  const body = Buffer.from(JSON.stringify(statement))
  const type = 'application/vnd.in-toto+json'
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} `), body])
  const signatures = [{ sig: signWith(key, signed) }]
  const dsseEnvelope = { payload: body.toString('base64'), payloadType: type, signatures }
  return Buffer.from(JSON.stringify({ dsseEnvelope }))
}

describe.each(['ecdsa', 'rsa', 'ed25519'] as const)('a signature by a trusted %s key', (name) => {
  const { privateKey } = pairs[name]
  test('of the manifest is good, in both forms', () => {
    const signature = signWith(privateKey, payload())
    expect(verifySimpleSigning({ payload: payload(), signature, digest }, trusted)).toBe(`${name}.pub`)
    expect(verifyBundle({ bundle: bundle(privateKey), digest }, trusted)).toBe(`${name}.pub`)
  })

  test('of another manifest is refused, in both forms', () => {
    const signature = signWith(privateKey, payload())
    const simple = () => verifySimpleSigning({ payload: payload(), signature, digest: other }, trusted)
    expect(simple).toThrow('of another manifest')
    expect(() => verifyBundle({ bundle: bundle(privateKey), digest: other }, trusted)).toThrow(
      'of another manifest',
    )
  })
})

test('a signature by a stranger, and a payload that was changed, are refused', () => {
  const byStranger = { payload: payload(), signature: signWith(stranger.privateKey, payload()), digest }
  expect(() => verifySimpleSigning(byStranger, trusted)).toThrow('by none of the keys')
  const changed = {
    ...byStranger,
    payload: payload({ image: { 'docker-manifest-digest': other } }),
    digest: other,
  }
  const signature = signWith(pairs.ecdsa.privateKey, payload())
  expect(() => verifySimpleSigning({ ...changed, signature }, trusted)).toThrow('by none of the keys')
  expect(() => verifyBundle({ bundle: bundle(stranger.privateKey), digest }, trusted)).toThrow(
    'by none of the keys',
  )
})

test('what a trusted key signed for another purpose is no signature of an image', () => {
  const attestation = bundle(pairs.rsa.privateKey, { predicateType: 'https://slsa.dev/provenance/v1' })
  expect(() => verifyBundle({ bundle: attestation, digest }, trusted)).toThrow('no signature of an image')
  const note = payload({ type: 'note' })
  const signature = signWith(pairs.rsa.privateKey, note)
  expect(() => verifySimpleSigning({ payload: note, signature, digest }, trusted)).toThrow(
    'no signature of an image',
  )
})

test('bytes that are no bundle are refused', () => {
  for (const bytes of ['', '{}', 'null', '[]', '{"dsseEnvelope":{"payload":1}}'])
    expect(() => verifyBundle({ bundle: Buffer.from(bytes), digest }, trusted)).toThrow('no signed statement')
})

test.each([
  ['text', 'hello', 'no public key in PEM'],
  [
    'a private key',
    pairs.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'no public key in PEM',
  ],
  ['damaged PEM', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', 'cannot be read as'],
  ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), 'is no key by'],
  [
    'a key on another curve',
    pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
    'is no key by',
  ],
])('%s is no trusted key', (_what, pem, message) => {
  expect(() => readPublicKeys(new Map([['cosign.pub', pem]]))).toThrow(message)
})
