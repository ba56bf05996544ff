import type { OCIRepositoryVerification } from '@setpoint/contracts'
import {
  CosignError,
  type KeylessTrust,
  type PublicKeys,
  readKeylessTrust,
  readPublicKeys,
  verifyBundle,
  verifyKeylessBundle,
  verifyKeylessPayload,
  verifySimpleSigning,
} from '@setpoint/cosign'
import { SourceFailure } from '../failure.ts'
import { readSecret } from '../secret.ts'
import type { SourceState } from '../state.ts'
import type { OciContext, OciTask, Remote } from './oci-context.ts'
import type { Target } from './resolve.ts'
import { readSignatures, type Signature } from './signatures.ts'

/** Who may have signed: with one of the keys, or as an identity. */
export interface Trusted {
  by: { keys: PublicKeys } | { keyless: KeylessTrust }
  /** Equal texts are equal keys and identities. */
  identity: string
}

/** What spec.verify trusts; undefined when nothing has to be verified. @throws SourceFailure */
export async function readTrusted(context: OciContext, task: OciTask): Promise<Trusted | undefined> {
  const { verify } = task.object.spec
  if (verify === undefined) return undefined
  return verify.secretRef === undefined
    ? readIdentities(context, task, verify)
    : readKeys(context, task, verify)
}

async function readKeys(
  context: OciContext,
  task: OciTask,
  verify: OCIRepositoryVerification,
): Promise<Trusted> {
  const pems = await readPems(context, task, verify)
  try {
    return { by: { keys: readPublicKeys(pems) }, identity: JSON.stringify([...pems]) }
  } catch (error) {
    if (error instanceof CosignError)
      throw unverified(`the Secret in spec.verify.secretRef: ${error.message}`)
    throw error
  }
}

const TRUSTED_ROOT = 'trusted_root.json'

async function readIdentities(
  context: OciContext,
  task: OciTask,
  { trustedRootSecretRef, matchOIDCIdentity = [] }: OCIRepositoryVerification,
): Promise<Trusted> {
  const secret = await readVerifySecret(context, task, trustedRootSecretRef)
  const root = secret?.get(TRUSTED_ROOT)
  if (root === undefined)
    throw unverified(`the Secret in spec.verify.trustedRootSecretRef has no ${TRUSTED_ROOT}`)
  try {
    const keyless = await readKeylessTrust(root, matchOIDCIdentity)
    return { by: { keyless }, identity: JSON.stringify([root, matchOIDCIdentity]) }
  } catch (error) {
    if (error instanceof CosignError) throw unverified(`spec.verify: ${error.message}`)
    throw error
  }
}

async function readPems(
  context: OciContext,
  task: OciTask,
  { secretRef }: OCIRepositoryVerification,
): Promise<Map<string, string>> {
  const secret = await readVerifySecret(context, task, secretRef)
  const names = (secret?.keys ?? []).filter((key) => key.endsWith('.pub'))
  if (names.length === 0) throw unverified('the Secret in spec.verify.secretRef has no key that ends in .pub')
  return new Map(names.map((name) => [name, secret?.get(name) ?? '']))
}

async function readVerifySecret(context: OciContext, task: OciTask, reference: { name: string } | undefined) {
  try {
    return await readSecret(context, task, reference)
  } catch (error) {
    throw error instanceof SourceFailure ? unverified(error.message) : error
  }
}

/** Looks for a signature of the manifest by one who is trusted. @throws SourceFailure when there is none; RegistryError */
export async function verifyTarget(
  context: OciContext,
  remote: Remote,
  { digest, revision }: Target,
  { by }: Trusted,
): Promise<NonNullable<SourceState['verification']>> {
  const signatures = await readSignatures(context, remote, digest)
  if (signatures.length === 0) throw unverified(`${remote.image.canonical} has no signature of ${digest}`)
  const problems: string[] = []
  for (const signature of signatures) {
    try {
      const signer =
        'keys' in by
          ? `with key '${verifyByKey(signature, digest, by.keys)}'`
          : `by ${await verifyByIdentity(signature, digest, by.keyless)}`
      return { mode: 'cosign', message: `verified signature of revision ${revision} ${signer}` }
    } catch (error) {
      if (!(error instanceof CosignError)) throw error
      problems.push(error.message)
    }
  }
  throw unverified([...new Set(problems)].join('; '))
}

async function verifyByIdentity(signature: Signature, digest: string, trust: KeylessTrust): Promise<string> {
  if (signature.kind === 'bundle') return verifyKeylessBundle({ ...signature, digest }, trust)
  const { certificate, logEntry } = signature
  if (certificate === undefined || logEntry === undefined)
    throw new CosignError('the signature is by a key, not by an identity')
  return verifyKeylessPayload({ ...signature, certificate, logEntry, digest }, trust)
}

function verifyByKey(signature: Signature, digest: string, keys: PublicKeys): string {
  return signature.kind === 'bundle'
    ? verifyBundle({ ...signature, digest }, keys)
    : verifySimpleSigning({ ...signature, digest }, keys)
}

function unverified(message: string): SourceFailure {
  return new SourceFailure(
    'SourceVerified',
    'VerificationError',
    `failed to verify the signature using provider 'cosign': ${message}`,
  )
}
