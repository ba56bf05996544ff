import { GitError } from '../errors.ts'
import { parsePgpKeys, verifyPgp } from './pgp-signature.ts'
import { type SignedObject, splitCommit, splitTag } from './signed-object.ts'
import { parseAuthorizedKeys, verifySsh } from './ssh-signature.ts'

/** A signature that is good. */
export interface Verified {
  /** Id of the PGP key or fingerprint of the SSH key. */
  key: string
}

/** Those whose signatures are trusted. */
export interface Signers {
  /** @param bytes the commit as Git stores it @throws GitError InvalidSignature */
  verifyCommit(bytes: Uint8Array, now: Date): Promise<Verified>
  /** @param bytes the tag object as Git stores it @throws GitError InvalidSignature */
  verifyTag(bytes: Uint8Array, now: Date): Promise<Verified>
}

/**
 * Public keys by the name of their file: `*.sshpub` are lines of authorized_keys, all others armored PGP keys.
 * @throws GitError InvalidKey
 */
export async function readSigners(files: ReadonlyMap<string, string>): Promise<Signers> {
  const named = [...files]
  const ssh = named
    .filter(([name]) => name.endsWith('.sshpub'))
    .flatMap(([name, text]) => parseAuthorizedKeys(text, name))
  const pgpFiles = named.filter(([name]) => !name.endsWith('.sshpub'))
  const pgp = (await Promise.all(pgpFiles.map(([name, text]) => parsePgpKeys(text, name)))).flat()
  const verify = async ({ payload, signature }: SignedObject, now: Date): Promise<Verified> => {
    if (signature === undefined) throw new GitError('InvalidSignature', 'it is not signed')
    if (signature.includes('BEGIN SSH SIGNATURE')) return { key: await verifySsh(payload, signature, ssh) }
    if (signature.includes('BEGIN PGP SIGNATURE'))
      return { key: await verifyPgp(payload, signature, pgp, now) }
    throw new GitError('InvalidSignature', 'its signature is neither PGP nor SSH')
  }
  return {
    verifyCommit: (bytes, now) => verify(splitCommit(bytes), now),
    verifyTag: (bytes, now) => verify(splitTag(bytes), now),
  }
}
