import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitRepo, git } from '@setpoint/testkit'

/** A clone of the fleet repository in which the demo works as a person would. */
export interface WorkingCopy {
  path: string
  /** Changes one file; null deletes it. */
  edit(file: string, change: (text: string) => string | null): Promise<void>
  add(file: string, text: string): Promise<void>
  /** Commits everything and pushes; returns the commit's id. */
  push(message: string): Promise<string>
  /** `git revert` and push; returns the new commit's id. */
  revert(sha: string): Promise<string>
}

const sampleFleet = join(import.meta.dirname, 'fleet')

/** Clones the repository, puts the sample fleet into it and pushes it. */
export async function makeFleet(repo: GitRepo, path: string): Promise<{ copy: WorkingCopy; first: string }> {
  await git(['clone', '--quiet', repo.url, path])
  await cp(sampleFleet, path, { recursive: true })
  const copy = workingCopy(path)
  return { copy, first: await copy.push('The sample fleet') }
}

function workingCopy(path: string): WorkingCopy {
  const run = (...args: string[]) => git(args, { cwd: path })
  const pushHead = async () => {
    await run('push', '--quiet', 'origin', 'HEAD:main')
    return run('rev-parse', 'HEAD')
  }
  return {
    path,
    async edit(file, change) {
      const place = join(path, file)
      const before = await readFile(place, 'utf8')
      const after = change(before)
      if (after === before) throw new Error(`${file} does not contain what the demo wants to change`)
      await (after === null ? rm(place) : writeFile(place, after))
    },
    add: (file, text) => writeFile(join(path, file), text),
    async push(message) {
      await run('add', '--all')
      await run('commit', '--quiet', '--message', message)
      return pushHead()
    },
    async revert(sha) {
      await run('revert', '--no-edit', sha)
      return pushHead()
    },
  }
}
