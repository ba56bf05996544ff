/** Joins two POSIX paths and resolves `.` and `..`. Undefined when the result lies above the root of the tree. */
export function joinPath(directory: string, path: string): string | undefined {
  if (isClean(path)) return directory === '' ? path : `${directory}/${path}`
  const parts: string[] = directory === '' ? [] : directory.split('/')
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join('/')
}

/** True for a path without `.`, `..` and empty parts. */
function isClean(path: string): boolean {
  return path !== '' && !/(^|\/)\.{0,2}(\/|$)/.test(path)
}

/** True when the path is the directory or lies below it. */
export function isInside(directory: string, path: string): boolean {
  return directory === '' || path === directory || path.startsWith(`${directory}/`)
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A cleaned relative path, `..` at its start kept: for origin annotations. */
export function cleanRelative(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

/** What kustomize would fetch: a URL, or something that it takes for a Git repository. */
export function isRemote(path: string): boolean {
  const rest = path.toLowerCase().replace(/^git::/, '')
  if (/^(https?|ssh):\/\//.test(rest) || rest.startsWith('file://')) return true
  const isGithub = /^github\.com[/:]/.test(rest)
  const user = /^[a-z][a-z0-9-]*@/.exec(rest)
  if (!isGithub && user === null) return false
  const hostAndPath = rest.slice(user?.[0].length ?? 0)
  const separator = hostAndPath.search(/[/:]/)
  return (
    separator >= 0 &&
    hostAndPath
      .slice(separator + 1)
      .split(/[/?]/)
      .filter(Boolean).length >= 2
  )
}
