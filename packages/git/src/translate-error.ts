import { displayUrl, GitError } from './errors.ts'

/** What any failure of an operation against a remote means. A GitError stays as it is. */
export function translateRemoteError(cause: unknown, url: string): GitError {
  if (cause instanceof GitError) return cause
  return isDiskFull(cause) ? diskFull(cause) : storageProblem(cause, displayUrl(url))
}

/** What a failure to read our own copy means: objects that are missing or broken. */
export function translateReadError(cause: unknown, what: string): GitError {
  if (cause instanceof GitError) return cause
  if (isDiskFull(cause)) return diskFull(cause)
  return new GitError('Damaged', `the copy on disk cannot be read: ${what}: ${messageOf(cause)}`)
}

export function isDiskFull(cause: unknown): boolean {
  const code = codeOf(cause)
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'EROFS'
}

export function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined
  return typeof cause.code === 'string' ? cause.code : undefined
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/** What an answer other than 200 means. */
export function httpProblem(status: number, shown: string): GitError {
  if (status === 401 || status === 403)
    return new GitError('AuthenticationFailed', `${shown} refused the credentials (HTTP ${status})`)
  if (status === 404 || status === 410)
    return new GitError('RepositoryNotFound', `${shown} has no such repository (HTTP ${status})`)
  return new GitError('ServerError', `${shown} answered HTTP ${status}`)
}

function diskFull(cause: unknown): GitError {
  return new GitError('DiskFull', `the repository cannot be written to disk: ${codeOf(cause)}`)
}

function storageProblem(cause: unknown, shown: string): GitError {
  return new GitError('ProtocolError', `what ${shown} sent cannot be used: ${messageOf(cause)}`)
}
