import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../replace-file.ts'

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
  const lines = [...new Set(commits)].sort().map((oid) => `${oid}\n`)
  await replaceFile(join(gitdir, 'shallow'), lines.join(''))
}
