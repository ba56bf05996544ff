import { createHash, createPrivateKey, type KeyObject, sign as signBytes } from 'node:crypto'
import type { PrivateKey } from 'openpgp'
import { GitError } from './errors.ts'

/** Signs the bytes of a commit: the text of the signature, as it stands in the commit. */
export type CommitSigner = (payload: Uint8Array) => Promise<string>

/**
 * Signs with an OpenPGP private key. now: ms since the epoch.
 * @throws GitError AuthenticationFailed when the key cannot be read or unlocked; it never shows the key.
 */
export async function openpgpSigner(options: {
  /** Armored private key. */
  key: string
  passphrase?: string | undefined
  now(): number
}): Promise<CommitSigner> {
  const key = await unlock(await readKey(options.key), options.passphrase)
  // Loaded when a commit is signed: it is large, and few sign.
  const { createMessage, sign } = await import('openpgp')
  return async (payload) => {
    const message = await createMessage({ binary: payload })
    // A clock that went back must not make a signature that is older than its key.
    const date = new Date(Math.max(options.now(), key.getCreationTime().getTime()))
    const signature = await sign({ message, signingKeys: key, detached: true, format: 'armored', date })
    return signature.replaceAll('\r\n', '\n')
  }
}

async function readKey(armoredKey: string): Promise<PrivateKey> {
  const { readPrivateKey } = await import('openpgp')
  try {
    return await readPrivateKey({ armoredKey })
  } catch {
    throw new GitError('AuthenticationFailed', 'the signing key is no armored OpenPGP private key')
  }
}

async function unlock(privateKey: PrivateKey, passphrase: string | undefined): Promise<PrivateKey> {
  if (privateKey.isDecrypted()) return privateKey
  if (passphrase === undefined)
    throw new GitError('AuthenticationFailed', 'the signing key is protected; give its passphrase')
  const { decryptKey } = await import('openpgp')
  try {
    return await decryptKey({ privateKey, passphrase })
  } catch {
    throw new GitError('AuthenticationFailed', 'the passphrase of the signing key is wrong')
  }
}

const NAMESPACE = 'git'
const HASH = 'sha512'
const MAGIC = Buffer.from('SSHSIG')

/** Signs with an SSH private key, as `git` with gpg.format=ssh does. @throws GitError AuthenticationFailed */
export async function sshSigner(options: {
  key: string
  passphrase?: string | undefined
}): Promise<CommitSigner> {
  const { key: identity, passphrase } = options
  const { parseIdentity } = await import('./ssh/identity.ts')
  const parsed = parseIdentity({
    identity,
    knownHosts: '',
    ...(passphrase === undefined ? {} : { passphrase }),
  })
  const key = createPrivateKey(parsed.getPrivatePEM())
  return async (payload) => {
    const digest = createHash(HASH).update(payload).digest()
    const about = [field(NAMESPACE), field(''), field(HASH)]
    const signed = Buffer.concat([MAGIC, ...about, field(digest)])
    const version = Buffer.from([0, 0, 0, 1])
    const blob = Buffer.concat([
      MAGIC,
      version,
      field(parsed.getPublicSSH()),
      ...about,
      field(rawSignature(key, parsed.type, signed)),
    ])
    const lines = blob.toString('base64').match(/.{1,70}/g) ?? []
    return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n')
  }
}

/** A signature with its algorithm, as the SSH protocol has it. */
function rawSignature(key: KeyObject, type: string, data: Buffer): Buffer {
  if (type === 'ssh-ed25519') return Buffer.concat([field(type), field(signBytes(null, data, key))])
  if (type === 'ssh-rsa') return Buffer.concat([field('rsa-sha2-512'), field(signBytes('sha512', data, key))])
  const hash = ECDSA_HASHES[type]
  if (hash === undefined)
    throw new GitError('AuthenticationFailed', `a key of type ${type} cannot sign; use Ed25519, ECDSA or RSA`)
  const both = signBytes(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  const half = both.length / 2
  const numbers = Buffer.concat([number(both.subarray(0, half)), number(both.subarray(half))])
  return Buffer.concat([field(type), field(numbers)])
}

const ECDSA_HASHES: Record<string, string> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
}

/** A positive number: no leading zeros, but one where the first bit is set. */
function number(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const short = bytes.subarray(start)
  return field((short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short)
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
