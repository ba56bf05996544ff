import { createHash, X509Certificate } from 'node:crypto'
import type { TrustMaterial } from '@sigstore/verify'
import { RE2JS } from 're2js'
import { checkStatement } from './bundle.ts'
import { CosignError } from './errors.ts'
import { fieldsOf, parseJson } from './json.ts'
import { checkPayload } from './simple-signing.ts'

/** Expressions for who may sign: both must match somewhere in what the certificate says. */
export interface IdentityPattern {
  issuer: string
  subject: string
}

/** Who is trusted without a key: authorities and logs, and the identities that they may speak of; all when there are none. */
export interface KeylessTrust {
  root: TrustMaterial
  identities: readonly { issuer: RE2JS; subject: RE2JS }[]
}

/** Annotation of a signed payload, with the certificate of the one who signed, in PEM. */
export const CERTIFICATE_ANNOTATION = 'dev.sigstore.cosign/certificate'
/** Annotation of a signed payload, with its entry in a transparency log, in JSON. */
export const LOG_ANNOTATION = 'dev.sigstore.cosign/bundle'

const MAX_PATTERN = 1_000

/**
 * @param trustedRoot a `trusted_root.json` of Sigstore
 * @throws CosignError for what cannot be read, and for a root without a way to know when something was signed
 */
export async function readKeylessTrust(
  trustedRoot: string,
  patterns: readonly IdentityPattern[],
): Promise<KeylessTrust> {
  const identities = patterns.map(({ issuer, subject }) => ({
    issuer: compile(issuer, 'issuer'),
    subject: compile(subject, 'subject'),
  }))
  return { root: await readRoot(trustedRoot), identities }
}

/**
 * Checks a bundle that was signed without a key of one's own: certificate, log entry, time, signature and identity.
 * @returns who signed @throws CosignError
 */
export async function verifyKeylessBundle(
  { bundle, digest }: { bundle: Uint8Array; digest: string },
  trust: KeylessTrust,
): Promise<string> {
  const { payload } = fieldsOf(fieldsOf(parseJson(bundle)).dsseEnvelope)
  if (typeof payload !== 'string') throw new CosignError('the bundle holds no signed statement')
  const signer = await verifyEntity(parseJson(bundle), undefined, trust)
  checkStatement(Buffer.from(payload, 'base64'), digest)
  return signer
}

/** The same for a payload with its signature, certificate and log entry beside it. @returns who signed @throws CosignError */
export async function verifyKeylessPayload(
  signed: { payload: Uint8Array; signature: string; certificate: string; logEntry: string; digest: string },
  trust: KeylessTrust,
): Promise<string> {
  const signer = await verifyEntity(toBundle(signed), Buffer.from(signed.payload), trust)
  checkPayload(signed.payload, signed.digest)
  return signer
}

async function verifyEntity(
  bundle: unknown,
  artifact: Buffer | undefined,
  { root, identities }: KeylessTrust,
): Promise<string> {
  const { bundleFromJSON } = await import('@sigstore/bundle')
  const { toSignedEntity, Verifier } = await import('@sigstore/verify')
  const verifier = new Verifier(root, {
    ctlogThreshold: root.ctlogs.length > 0 ? 1 : 0,
    tlogThreshold: root.tlogs.length > 0 ? 1 : 0,
    timestampThreshold: 1,
  })
  const { identity } = attempt('the signature proves nothing', () =>
    verifier.verify(toSignedEntity(bundleFromJSON(bundle), artifact)),
  )
  const subject = identity?.subjectAlternativeName
  if (subject === undefined) throw new CosignError('the signature is by a key, not by an identity')
  const issuer = identity?.extensions?.issuer ?? ''
  const isMeant = ({ issuer: from, subject: who }: KeylessTrust['identities'][number]) =>
    from.matcher(issuer).find() && who.matcher(subject).find()
  if (identities.length > 0 && !identities.some(isMeant))
    throw new CosignError(
      `it is signed by ${subject} (${issuer}), whom spec.verify.matchOIDCIdentity does not name`,
    )
  return `${subject} (${issuer})`
}

async function readRoot(text: string): Promise<TrustMaterial> {
  const { TrustedRoot } = await import('@sigstore/protobuf-specs')
  const { toTrustMaterial } = await import('@sigstore/verify')
  const json = fieldsOf(parseJson(text))
  const root = attempt('the trusted root cannot be read', () => toTrustMaterial(TrustedRoot.fromJSON(json)))
  if (root.certificateAuthorities.length === 0)
    throw new CosignError('the trusted root names no authority of certificates')
  if (root.tlogs.length === 0 && root.timestampAuthorities.length === 0)
    throw new CosignError('the trusted root names neither a transparency log nor an authority of time')
  return root
}

/** What older versions of cosign write beside a payload, as a bundle. */
function toBundle({
  payload,
  signature,
  certificate,
  logEntry,
}: {
  payload: Uint8Array
  signature: string
  certificate: string
  logEntry: string
}): unknown {
  const rawBytes = attempt('the certificate cannot be read', () =>
    new X509Certificate(certificate).raw.toString('base64'),
  )
  const { SignedEntryTimestamp, Payload } = fieldsOf(parseJson(logEntry))
  const { body, integratedTime, logIndex, logID } = fieldsOf(Payload)
  const digest = createHash('sha256').update(payload).digest('base64')
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes }] },
      tlogEntries: [
        {
          logIndex: String(logIndex),
          logId: { keyId: Buffer.from(String(logID), 'hex').toString('base64') },
          kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
          integratedTime: String(integratedTime),
          inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
          canonicalizedBody: body,
        },
      ],
    },
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature },
  }
}

function compile(pattern: string, field: string): RE2JS {
  if (pattern.length > MAX_PATTERN) throw new CosignError(`${field} has more than ${MAX_PATTERN} characters`)
  return attempt(`${field} "${pattern}" is no regular expression`, () => RE2JS.compile(pattern))
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new CosignError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
