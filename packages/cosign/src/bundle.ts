import { CosignError } from './errors.ts'
import { fieldsOf, parseJson } from './json.ts'
import { type PublicKeys, signerOf } from './public-keys.ts'

/** Media type of a bundle. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

const STATEMENT_TYPE = 'application/vnd.in-toto+json'
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'
const MAX_SUBJECTS = 100

/**
 * Checks a bundle: a signed statement about the manifest.
 * @param digest of the manifest that must be signed
 * @returns the name of the key
 * @throws CosignError
 */
export function verifyBundle(
  { bundle, digest }: { bundle: Uint8Array; digest: string },
  keys: PublicKeys,
): string {
  const { payload, payloadType, signatures } = fieldsOf(fieldsOf(parseJson(bundle)).dsseEnvelope)
  if (typeof payload !== 'string' || payloadType !== STATEMENT_TYPE || !Array.isArray(signatures))
    throw new CosignError('the bundle holds no signed statement')
  const statement = Buffer.from(payload, 'base64')
  const signed = preAuthenticated(payloadType, statement)
  const signer = signatures
    .slice(0, MAX_SUBJECTS)
    .map((each) => signerOf(keys, signed, Buffer.from(String(fieldsOf(each).sig), 'base64')))
    .find((name) => name !== undefined)
  if (signer === undefined) throw new CosignError('the signature is by none of the keys')
  checkStatement(statement, digest)
  return signer
}

/** What a DSSE envelope signs: its type and its payload, each with its length. */
function preAuthenticated(type: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** @throws CosignError when it is no statement about the manifest */
export function checkStatement(statement: Uint8Array, digest: string): void {
  const { subject, predicateType } = fieldsOf(parseJson(statement))
  if (predicateType !== SIGN_PREDICATE) throw new CosignError('what is signed is no signature of an image')
  const [algorithm = '', value] = digest.split(':')
  const isMeant =
    Array.isArray(subject) &&
    subject.slice(0, MAX_SUBJECTS).some((each) => fieldsOf(fieldsOf(each).digest)[algorithm] === value)
  if (!isMeant) throw new CosignError('the signature is of another manifest')
}
