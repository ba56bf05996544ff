import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { GitError } from '../errors.ts'
import { fingerprint } from '../ssh/known-hosts.ts'

const MAGIC = 'SSHSIG'
const NAMESPACE = 'git'

/**
 * Verifies a signature as `ssh-keygen -Y sign -n git` makes it.
 * @returns the fingerprint of the key @throws GitError InvalidSignature
 */
export async function verifySsh(
  payload: Buffer,
  armored: string,
  trusted: readonly Buffer[],
): Promise<string> {
  const { key, namespace, reserved, hash, signature } = parse(armored)
  const shown = fingerprint(key)
  if (!trusted.some((each) => each.equals(key)))
    throw invalid(`it is signed with an SSH key that is not trusted: ${shown}`)
  if (namespace !== NAMESPACE)
    throw invalid(`its SSH signature is for "${printable(namespace)}", not for git`)
  if (hash !== 'sha256' && hash !== 'sha512')
    throw invalid(`its SSH signature uses the hash "${printable(hash)}"`)
  const digest = createHash(hash).update(payload).digest()
  const signed = Buffer.concat([Buffer.from(MAGIC), ...[namespace, reserved, hash, digest].map(field)])
  if (!isRight(signed, await toKeyObject(key), signature))
    throw invalid(`its SSH signature by ${shown} is wrong`)
  return shown
}

/** The keys of lines as in authorized_keys. @throws GitError InvalidKey */
export function parseAuthorizedKeys(text: string, name: string): Buffer[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const found = /(?:^|\s)((?:ssh|ecdsa|sk)-\S+)\s+([A-Za-z0-9+/=]+)/.exec(line)
      if (found === null) throw new GitError('InvalidKey', `"${name}" has a line that is no SSH public key`)
      return Buffer.from(found[2] ?? '', 'base64')
    })
}

function isRight(signed: Buffer, publicKey: KeyObject, signature: Buffer): boolean {
  const reader = new Reader(signature)
  const [algorithm, raw] = [reader.field().toString('latin1'), reader.field()]
  if (algorithm === 'ssh-ed25519' && publicKey.asymmetricKeyType === 'ed25519')
    return verify(null, signed, publicKey, raw)
  if (/^rsa-sha2-(256|512)$/.test(algorithm) && publicKey.asymmetricKeyType === 'rsa')
    return verify(`sha${algorithm.slice(-3)}`, signed, publicKey, raw)
  const curve = ECDSA[algorithm]
  if (curve === undefined || publicKey.asymmetricKeyType !== 'ec')
    throw invalid(`its SSH signature is of a kind that is not supported: ${printable(algorithm)}`)
  const numbers = new Reader(raw)
  const both = [numbers.field(), numbers.field()].map((number) => fixed(number, curve.bytes))
  return verify(curve.hash, signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.concat(both))
}

const ECDSA: Record<string, { hash: string; bytes: number }> = {
  'ecdsa-sha2-nistp256': { hash: 'sha256', bytes: 32 },
  'ecdsa-sha2-nistp384': { hash: 'sha384', bytes: 48 },
  'ecdsa-sha2-nistp521': { hash: 'sha512', bytes: 66 },
}

async function toKeyObject(key: Buffer): Promise<KeyObject> {
  const { default: ssh2 } = await import('ssh2')
  const parsed = ssh2.utils.parseKey(key)
  const single = Array.isArray(parsed) ? parsed[0] : parsed
  if (single === undefined || single instanceof Error)
    throw invalid('it is signed with an SSH key of a kind that is not supported')
  return createPublicKey(single.getPublicPEM())
}

function parse(armored: string) {
  const inner = /-----BEGIN SSH SIGNATURE-----([\s\S]*?)-----END SSH SIGNATURE-----/.exec(armored)?.[1] ?? ''
  const bytes = Buffer.from(inner, 'base64')
  if (bytes.toString('latin1', 0, 6) !== MAGIC || bytes.length < 10 || bytes.readUInt32BE(6) !== 1)
    throw invalid('its SSH signature cannot be read')
  const reader = new Reader(bytes.subarray(10))
  const key = reader.field()
  const [namespace, reserved, hash] = [reader.text(), reader.text(), reader.text()]
  return { key, namespace, reserved, hash, signature: reader.field() }
}

class Reader {
  private bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  field(): Buffer {
    const length = this.bytes.length < 4 ? Number.POSITIVE_INFINITY : this.bytes.readUInt32BE(0)
    if (4 + length > this.bytes.length) throw invalid('its SSH signature cannot be read')
    const field = this.bytes.subarray(4, 4 + length)
    this.bytes = this.bytes.subarray(4 + length)
    return field
  }

  text(): string {
    return this.field().toString('latin1')
  }
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A number without leading zeros, in a fixed number of bytes. */
function fixed(number: Buffer, bytes: number): Buffer {
  const bare = number.subarray(Math.max(0, number.length - bytes))
  return Buffer.concat([Buffer.alloc(bytes - bare.length), bare])
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 60)
}

function invalid(message: string): GitError {
  return new GitError('InvalidSignature', message)
}
