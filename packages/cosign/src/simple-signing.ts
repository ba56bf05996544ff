import { CosignError } from './errors.ts'
import { fieldsOf, parseJson } from './json.ts'
import { type PublicKeys, signerOf } from './public-keys.ts'

/** Media type of the layers of a signature: each is a payload that is signed. */
export const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json'

/** Annotation of such a layer, with the signature. */
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature'

/**
 * Checks one payload with its signature (base64).
 * @param digest of the manifest that must be signed
 * @returns the name of the key
 * @throws CosignError
 */
export function verifySimpleSigning(
  { payload, signature, digest }: { payload: Uint8Array; signature: string; digest: string },
  keys: PublicKeys,
): string {
  const signer = signerOf(keys, payload, Buffer.from(signature, 'base64'))
  if (signer === undefined) throw new CosignError('the signature is by none of the keys')
  checkPayload(payload, digest)
  return signer
}

/** @throws CosignError when it does not speak of the manifest */
export function checkPayload(payload: Uint8Array, digest: string): void {
  const { image, type } = fieldsOf(fieldsOf(parseJson(payload)).critical)
  const signed = fieldsOf(image)['docker-manifest-digest']
  if (signed !== digest) throw new CosignError('the signature is of another manifest')
  if (type !== 'cosign container image signature')
    throw new CosignError('what is signed is no signature of an image')
}
