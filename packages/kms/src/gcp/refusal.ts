/** gRPC's codes that Cloud KMS gives a meaning to. */
const ADVICE: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT; the encrypted data key was changed, or belongs to another key',
  5: 'NOT_FOUND; no such key',
  7: 'PERMISSION_DENIED; the identity needs cloudkms.cryptoKeyVersions.useToDecrypt on it',
  8: 'RESOURCE_EXHAUSTED; there were too many requests; it is tried again',
  9: 'FAILED_PRECONDITION; the key is disabled or destroyed',
  16: 'UNAUTHENTICATED; the credentials are wrong or have expired',
}
const UNANSWERED = new Set([1, 4, 14])

/** What an error of Google Cloud says; undefined when there was no answer. */
export function gcpRefusal(error: unknown): string | undefined {
  const { code, status } = (error ?? {}) as { code?: unknown; status?: unknown }
  if (typeof code === 'number' && code < 100)
    return UNANSWERED.has(code) ? undefined : `was refused: ${ADVICE[code] ?? `code ${code}`}`
  const http = [code, status].find((one) => typeof one === 'number')
  return http === undefined ? undefined : `was refused: HTTP ${http}`
}
