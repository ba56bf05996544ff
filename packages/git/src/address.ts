import { displayUrl, GitError } from './errors.ts'

/** The URL without credentials, as a copy on disk names its origin, and requests begin. @throws GitError */
export function withoutCredentials(url: string): string {
  const parsed = parseAddress(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href.replace(/\/+$/, '')
}

/** @throws GitError for what is no http, https or ssh address */
export function parseAddress(url: string): URL {
  if (!URL.canParse(url) || !/^(?:https?|ssh):/.test(url))
    throw new GitError('ProtocolError', `"${displayUrl(url)}" is not an http, https or ssh address`)
  return new URL(url)
}
