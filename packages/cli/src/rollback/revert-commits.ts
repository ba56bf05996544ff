import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../errors.ts'

/** More commits than this are for a person to look at. */
const MOST_COMMITS = 20
const GIT_TIMEOUT_MS = 5 * 60_000

export interface Revert {
  url: string
  branch: string
  /** Commits after `good`, up to and with `bad`. */
  good: string
  bad: string
  /** Only commits that touch it, when some do. */
  path: string
  signal: AbortSignal
}

/**
 * Reverts commits in a clone of its own and pushes the result, with the user's own git and its credentials.
 * Returns the subjects of the commits that were reverted, newest first.
 * @throws CommandError when git fails, there are too many commits, or somebody else pushed meanwhile.
 */
export async function revertCommits(revert: Revert): Promise<string[]> {
  const clone = await mkdtemp(join(tmpdir(), 'setpoint-revert-'))
  try {
    await git(revert, ['clone', '--quiet', '--single-branch', '--branch', revert.branch, revert.url, clone])
    const commits = await commitsToRevert(revert, clone)
    const subjects = await git(revert, ['show', '--no-patch', '--format=%h %s', ...commits], clone)
    await git(revert, ['revert', '--no-edit', ...commits], clone)
    await git(revert, ['push', '--quiet', 'origin', `HEAD:refs/heads/${revert.branch}`], clone)
    return subjects.trim().split('\n')
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
}

/** What a person types to do the same. */
export function revertCommand({ good, bad }: Pick<Revert, 'good' | 'bad'>): string {
  return `git revert --no-edit ${good.slice(0, 12)}..${bad.slice(0, 12)}`
}

/** Newest first, as `git revert` wants them. */
async function commitsToRevert(revert: Revert, clone: string): Promise<string[]> {
  const range = `${revert.good}..${revert.bad}`
  const touching = await revList(revert, clone, [range, '--', revert.path === '' ? '.' : revert.path])
  const commits = touching.length > 0 ? touching : await revList(revert, clone, [range])
  if (commits.length === 0) throw new CommandError(`there is no commit in ${range} to revert`)
  if (commits.length > MOST_COMMITS)
    throw new CommandError(
      `${commits.length} commits would be reverted; do it by hand: ${revertCommand(revert)}`,
    )
  return commits
}

async function revList(revert: Revert, clone: string, args: readonly string[]): Promise<string[]> {
  const output = await git(revert, ['rev-list', '--no-merges', ...args], clone)
  return output.split('\n').filter((line) => line !== '')
}

async function git({ signal }: Revert, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const options = {
      signal,
      timeout: GIT_TIMEOUT_MS,
      maxBuffer: 1024 * 1024,
      ...(cwd === undefined ? {} : { cwd }),
    }
    return (await promisify(execFile)('git', args, options)).stdout
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    throw new CommandError(`git ${args[0]} failed: ${withoutPassword(stderr.trim())}`)
  }
}

const withoutPassword = (text: string): string => text.replaceAll(/\/\/[^@/\s]*@/g, '//')
