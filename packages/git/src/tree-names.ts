import { GitError } from './errors.ts'

/** Nothing of what is refused can be in such a name, and nearly all are such. */
const ORDINARY = /^[\w-][\w.-]*$/

/**
 * Refuses names that would leave the tree or reach into a repository when somebody writes the tree to disk.
 * Git itself refuses to check such trees out. @throws GitError IllegalPath
 */
export function checkName(name: string, directory: string): void {
  if (ORDINARY.test(name)) return
  const illegal =
    name === '' ||
    name === '.' ||
    name.includes('/') ||
    name.includes('\0') ||
    name.split('\\').some(reachesOut)
  if (illegal) throw illegalName(name, directory)
}

/** As a name, or as a part of one where a backslash separates directories. */
function reachesOut(part: string): boolean {
  // What HFS+ ignores within names, and what NTFS drops at their ends or takes for a part of a file.
  const lower = part
    .toLowerCase()
    .replaceAll(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '')
    .replace(/:.*$/, '')
    .replace(/[ .]+$/, '')
  return part === '..' || lower === '.git' || lower === 'git~1'
}

/** The refusal of a name in a directory; '' is the root. */
export function illegalName(
  name: string,
  directory: string,
  what = 'a file with the illegal name',
): GitError {
  const where = directory === '' ? 'the root' : `directory "${directory}"`
  return new GitError(
    'IllegalPath',
    `the repository has ${what} ${JSON.stringify(name.slice(0, SHOWN))} in ${where}`,
  )
}

/** Characters of a name that a message shows. */
const SHOWN = 200
