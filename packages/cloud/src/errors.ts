/**
 * Why a cloud gave no credentials. FeatureGateDisabled, InvalidAccount and HostRefused only go away with a change of the
 * object, its ServiceAccount or the settings of the service.
 */
export type CloudErrorCode =
  | 'FeatureGateDisabled'
  | 'InvalidAccount'
  | 'HostRefused'
  | 'LoginFailed'
  | 'Timeout'

/** A failed login to a cloud, in words for people. Never holds a credential, a token or an error of an SDK. */
export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly code: CloudErrorCode

  constructor(code: CloudErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** @param notWhat such as `not Amazon S3` @param example of an address that is one */
export function hostRefused(host: string, notWhat: string, example: string): CloudError {
  return new CloudError('HostRefused', `${host} is ${notWhat} (${example}): no credential is sent there`)
}

const MAX_LENGTH = 300
/** Tokens are JWTs mostly; an SDK may quote one that is refused. */
const JWT = /\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g

/** What an SDK said, in one line. Its error itself holds requests and their headers, and goes no further. */
export function loginFailed(what: string, cause: unknown): CloudError {
  if (cause instanceof CloudError) return cause
  const text = cause instanceof Error ? cause.message || cause.name : String(cause)
  const line = text.replace(JWT, '…').replace(/\s+/g, ' ').trim().slice(0, MAX_LENGTH)
  return new CloudError('LoginFailed', `${what}: ${line}`)
}
