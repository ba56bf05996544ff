import { parseAddress } from './address.ts'
import { GitError } from './errors.ts'

/** A submodule as `.gitmodules` describes it. */
export interface Submodule {
  path: string
  /** As it is written; `./` and `../` start from the URL of the repository. */
  url: string
}

const MAX_BYTES = 1024 * 1024

/** Reads a `.gitmodules` file; entries without path or url are left out. @throws GitError when it is too large */
export function parseGitmodules(content: string): Submodule[] {
  if (content.length > MAX_BYTES)
    throw new GitError('TooLarge', `.gitmodules has more than ${MAX_BYTES} bytes`)
  const sections: Partial<Submodule>[] = []
  for (const line of content.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) sections.push({})
    const [, key, value = ''] = /^\s*(path|url)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    const current = sections.at(-1)
    if (current !== undefined && (key === 'path' || key === 'url'))
      current[key] = value.replace(/^"(.*)"$/, '$1')
  }
  return sections.filter(
    (section): section is Submodule => section.path !== undefined && section.url !== undefined,
  )
}

/**
 * Where a submodule is. @param parent the URL of the repository that has it
 * @throws GitError for an address that is not http, https or ssh, such as a local path or a program
 */
export function submoduleUrl(parent: string, { url, path }: Submodule): string {
  const scp = /^(?:([^@/\s]+)@)?([^:/\s]+):(?!\/\/|:)(.+)$/.exec(url)
  const absolute = scp === null ? url : `ssh://${scp[1] ?? 'git'}@${scp[2]}/${scp[3]?.replace(/^\/+/, '')}`
  if (/^\.\.?\//.test(url)) return new URL(url, `${parent.replace(/\/+$/, '')}/`).href
  try {
    return parseAddress(absolute).href
  } catch {
    throw new GitError(
      'ProtocolError',
      `the submodule "${path}" is at an address that is not http, https or ssh`,
    )
  }
}
