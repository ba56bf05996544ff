import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The commits of a repository whose parents are not there: Git's file `shallow`. */
export async function readShallowFile(gitdir: string): Promise<string[]> {
  try {
    return (await readFile(join(gitdir, 'shallow'), 'utf8')).split('\n').filter((line) => line !== '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export async function writeShallowFile(gitdir: string, commits: Iterable<string>): Promise<void> {
  const file = join(gitdir, 'shallow')
  const lines = [...new Set(commits)].sort().map((oid) => `${oid}\n`)
  await writeFile(`${file}.lock`, lines.join(''))
  await rename(`${file}.lock`, file)
}
