import type { OCIRepositoryVerification } from '@setpoint/contracts'
import {
  CosignError,
  type PublicKeys,
  readPublicKeys,
  verifyBundle,
  verifySimpleSigning,
} from '@setpoint/cosign'
import { SourceFailure } from '../failure.ts'
import { readSecret } from '../secret.ts'
import type { SourceState } from '../state.ts'
import type { OciContext, OciTask, Remote } from './oci-context.ts'
import type { Target } from './resolve.ts'
import { readSignatures, type Signature } from './signatures.ts'

/** Who may have signed. */
export interface Trusted {
  keys: PublicKeys
  /** Equal texts are equal keys. */
  identity: string
}

/** The keys of spec.verify; undefined when nothing has to be verified. @throws SourceFailure */
export async function readTrusted(context: OciContext, task: OciTask): Promise<Trusted | undefined> {
  const { verify } = task.object.spec
  if (verify === undefined) return undefined
  const pems = await readPems(context, task, verify)
  try {
    return { keys: readPublicKeys(pems), identity: JSON.stringify([...pems]) }
  } catch (error) {
    if (error instanceof CosignError)
      throw unverified(`the Secret in spec.verify.secretRef: ${error.message}`)
    throw error
  }
}

async function readPems(
  context: OciContext,
  task: OciTask,
  { secretRef }: OCIRepositoryVerification,
): Promise<Map<string, string>> {
  try {
    const secret = await readSecret(context, task, secretRef)
    const names = (secret?.keys ?? []).filter((key) => key.endsWith('.pub'))
    if (names.length === 0)
      throw unverified('the Secret in spec.verify.secretRef has no key that ends in .pub')
    return new Map(names.map((name) => [name, secret?.get(name) ?? '']))
  } catch (error) {
    throw error instanceof SourceFailure ? unverified(error.message) : error
  }
}

/** Looks for a signature of the manifest by one of the keys. @throws SourceFailure when there is none; RegistryError */
export async function verifyTarget(
  context: OciContext,
  remote: Remote,
  { digest, revision }: Target,
  { keys }: Trusted,
): Promise<NonNullable<SourceState['verification']>> {
  const signatures = await readSignatures(context, remote, digest)
  if (signatures.length === 0) throw unverified(`${remote.image.canonical} has no signature of ${digest}`)
  const problems: string[] = []
  for (const signature of signatures) {
    try {
      const key = verifyOne(signature, digest, keys)
      return { mode: 'cosign', message: `verified signature of revision ${revision} with key '${key}'` }
    } catch (error) {
      if (!(error instanceof CosignError)) throw error
      problems.push(error.message)
    }
  }
  throw unverified([...new Set(problems)].join('; '))
}

function verifyOne(signature: Signature, digest: string, keys: PublicKeys): string {
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
