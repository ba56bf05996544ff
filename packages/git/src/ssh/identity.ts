import { createPrivateKey, type KeyObject } from 'node:crypto'
import ssh2, { type ParsedKey } from 'ssh2'
import { GitError } from '../errors.ts'
import type { SshCredentials } from '../remote-options.ts'

/** Reads a private key in any of the usual forms. @throws GitError AuthenticationFailed, which never shows the key */
export function parseIdentity({ identity, passphrase }: SshCredentials): ParsedKey {
  const text = identity.includes('PRIVATE KEY-----') ? fromPkcs8(identity, passphrase) : identity
  const parsed = ssh2.utils.parseKey(text, passphrase)
  const key = Array.isArray(parsed) ? parsed[0] : parsed
  if (key === undefined || key instanceof Error) throw unusable(key)
  if (!key.isPrivateKey())
    throw new GitError('AuthenticationFailed', 'identity is a public key, not a private one')
  return key
}

function unusable(error: Error | undefined): GitError {
  const text = error?.message ?? ''
  if (/passphrase given|no passphrase/i.test(text))
    return new GitError('AuthenticationFailed', 'identity is encrypted; give its passphrase as "password"')
  if (/bad passphrase|integrity|decrypt/i.test(text))
    return new GitError(
      'AuthenticationFailed',
      'identity cannot be decrypted: the passphrase ("password") is wrong',
    )
  return new GitError('AuthenticationFailed', 'identity is not a private key that can be read')
}

/** PKCS#8, which Flux's own commands write, in the form that ssh2 reads. */
function fromPkcs8(pem: string, passphrase: string | undefined): string {
  if (!/-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(pem)) return pem
  const key = readPkcs8(pem, passphrase)
  if (key.asymmetricKeyType === 'rsa') return key.export({ format: 'pem', type: 'pkcs1' }).toString()
  if (key.asymmetricKeyType === 'ec') return key.export({ format: 'pem', type: 'sec1' }).toString()
  if (key.asymmetricKeyType === 'ed25519') return opensshEd25519(key)
  throw new GitError(
    'AuthenticationFailed',
    `identity is a ${key.asymmetricKeyType} key; use Ed25519, ECDSA or RSA`,
  )
}

function readPkcs8(pem: string, passphrase: string | undefined): KeyObject {
  if (pem.includes('BEGIN ENCRYPTED') && passphrase === undefined)
    throw new GitError('AuthenticationFailed', 'identity is encrypted; give its passphrase as "password"')
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch {
    throw unusable(new Error(pem.includes('BEGIN ENCRYPTED') ? 'bad passphrase' : 'unreadable'))
  }
}

/** The unencrypted `openssh-key-v1` form of one Ed25519 key. */
function opensshEd25519(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' })
  const [publicKey, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')]
  const type = field('ssh-ed25519')
  const check = Buffer.alloc(8)
  const secret = Buffer.concat([
    check,
    type,
    field(publicKey),
    field(Buffer.concat([seed, publicKey])),
    field(''),
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, n) => n + 1))
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field(''), uint32(1)],
    field(Buffer.concat([type, field(publicKey)])),
    field(Buffer.concat([secret, padding])),
  ])
  const lines = body.toString('base64').match(/.{1,70}/g) ?? []
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
