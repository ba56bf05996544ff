/** An error that AWS sent. Its message may quote the signed request, so that only the name is shown. */
interface AwsAnswer {
  name: string
  $metadata: { httpStatusCode: number }
}

const CREDENTIALS = 'the credentials are wrong or have expired'
const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException: 'the credentials need kms:Decrypt on it',
  NotFoundException: 'no such key in this account and region',
  DisabledException: 'the key is disabled',
  KMSInvalidStateException: 'the key is disabled or about to be deleted',
  IncorrectKeyException: 'the file was encrypted with another key',
  InvalidCiphertextException: 'the encrypted data key, or its encryption context, was changed',
  ThrottlingException: 'there were too many requests; it is tried again',
  UnrecognizedClientException: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
}

/** What an error of AWS says; undefined when there was no answer. */
export function awsRefusal(error: unknown): string | undefined {
  if (!isAwsAnswer(error)) return undefined
  const name = /^\w{1,64}$/.test(error.name) ? error.name : `HTTP ${error.$metadata.httpStatusCode}`
  const advice = ADVICE[name]
  return `was refused: ${name}${advice === undefined ? '' : `; ${advice}`}`
}

export function isAwsAnswer(error: unknown): error is AwsAnswer {
  const { $metadata } = (error ?? {}) as Partial<AwsAnswer>
  return typeof $metadata?.httpStatusCode === 'number'
}
