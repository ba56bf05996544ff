import type { Key } from 'openpgp'
import { GitError } from '../errors.ts'
import { messageOf } from '../translate-error.ts'

/** The clock of who signed may be ahead of ours. */
const CLOCK_SKEW_MS = 5 * 60_000

/** Reads armored public keys; a text may hold several blocks. @throws GitError InvalidKey */
export async function parsePgpKeys(text: string, name: string): Promise<Key[]> {
  const { readKeys } = await import('openpgp')
  const blocks = text.match(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g)
  if (blocks === null) throw new GitError('InvalidKey', `"${name}" has no PGP public key`)
  try {
    return (await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys })))).flat()
  } catch {
    throw new GitError('InvalidKey', `"${name}" is not a PGP public key that can be read`)
  }
}

/** Verifies a detached signature. @returns the id of the key @throws GitError InvalidSignature */
export async function verifyPgp(
  payload: Buffer,
  armored: string,
  trusted: Key[],
  now: Date,
): Promise<string> {
  const { createMessage, readSignature, verify } = await import('openpgp')
  const signature = await readSignature({ armoredSignature: armored }).catch(() => {
    throw invalid('its PGP signature cannot be read')
  })
  const ids = signature.getSigningKeyIDs()
  const shown = ids.map((id) => id.toHex()).join(', ')
  const signer = trusted.find((key) => ids.some((id) => key.getKeys(id).length > 0))
  if (signer === undefined) throw invalid(`it is signed with a PGP key that is not trusted: ${shown}`)
  await checkState(signer, shown, now)
  const message = await createMessage({ binary: payload })
  const date = new Date(now.getTime() + CLOCK_SKEW_MS)
  const result = await verify({ message, signature, verificationKeys: signer, date })
  for (const { verified } of result.signatures)
    await verified.catch((cause: unknown) => {
      throw invalid(`its PGP signature by ${shown} is wrong: ${messageOf(cause)}`)
    })
  if (result.signatures.length === 0) throw invalid('it has no PGP signature')
  return shown
}

/** A signature counts only while its key does. */
async function checkState(key: Key, shown: string, now: Date): Promise<void> {
  if (await key.isRevoked(undefined, undefined, now))
    throw invalid(`it is signed with a PGP key that is revoked: ${shown}`)
  const end = await key.getExpirationTime().catch(() => null)
  if (end === null) throw invalid(`it is signed with a PGP key that is not valid: ${shown}`)
  if (end !== Number.POSITIVE_INFINITY && end <= now)
    throw invalid(`it is signed with a PGP key that has expired: ${shown}`)
}

function invalid(message: string): GitError {
  return new GitError('InvalidSignature', message)
}
