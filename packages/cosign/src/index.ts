export { BUNDLE_TYPE, verifyBundle } from './bundle.ts'
export { CosignError } from './errors.ts'
export {
  CERTIFICATE_ANNOTATION,
  type IdentityPattern,
  type KeylessTrust,
  LOG_ANNOTATION,
  readKeylessTrust,
  verifyKeylessBundle,
  verifyKeylessPayload,
} from './keyless.ts'
export { type PublicKeys, readPublicKeys } from './public-keys.ts'
export { SIGNATURE_ANNOTATION, SIMPLE_SIGNING_TYPE, verifySimpleSigning } from './simple-signing.ts'
