const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EIO', 'EMFILE'])

/** True for a failed write or read of our own storage; the text is the code, such as ENOSPC. */
export function diskProblem(error: unknown): string | undefined {
  const code = codeOf(error)
  return code !== undefined && FULL.has(code) ? code : undefined
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
