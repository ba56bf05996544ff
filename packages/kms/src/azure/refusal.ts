interface AzureAnswer {
  statusCode: number
  code?: string
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'the token was not accepted',
  403: 'the identity needs the right to decrypt with it (role Key Vault Crypto User, or the access policy decrypt)',
  404: 'no such key in this vault',
  400: 'the encrypted data key was changed, or belongs to another key',
  429: 'there were too many requests; it is tried again',
}

/** What an error of Azure says; undefined when there was no answer. Its message may hold a token's claims, so that it is left out. */
export function azureRefusal(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // Entra's own codes are what one looks up.
  const code = /\bAADSTS\d+\b/.exec(error.message)?.[0]
  if (code !== undefined) return `cannot be asked: Entra ID refused the credentials: ${code}`
  const { statusCode } = error as Partial<AzureAnswer>
  if (typeof statusCode === 'number') {
    const advice = ADVICE[statusCode]
    return `was refused: HTTP ${statusCode}${advice === undefined ? '' : `; ${advice}`}`
  }
  if (/challenge resource|does not match the requested domain/i.test(error.message))
    return 'was not asked: its server is no Key Vault, and gets no token'
  return /Credential|Authentication/.test(error.name) &&
    !/ENOTFOUND|ECONNREFUSED|network|endpoints_resolution/i.test(error.message)
    ? 'cannot be asked: Entra ID gave no token for the credentials'
    : undefined
}
