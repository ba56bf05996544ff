import type { GitRepositoryRef } from '@setpoint/contracts'
import {
  EMPTY_PACK,
  GitError,
  type GitMirror,
  listRemote,
  type Push,
  push,
  type RemoteOptions,
  writeCommit,
} from '@setpoint/git'
import {
  type Base,
  checkOut,
  type FileChange,
  type GitSettings,
  headOf,
  type MarkerMemory,
  type Part,
  type Plan,
  planAll,
} from '@setpoint/image-update'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageContext, Log } from '../context.ts'
import type { Contest } from './contest.ts'
import { refuseOutdated } from './outdated.ts'

/** One commit that is to be made: what several automations with the same settings want. */
export interface Wish {
  writer: string
  url: string
  ref: GitRepositoryRef
  branch: string
  git: GitSettings
  parts: Part[]
  /** What the status says was pushed last. */
  lastPushCommit: string | undefined
  message(changes: readonly FileChange[]): string
  sign: ((payload: Uint8Array) => Promise<string>) | undefined
}

/** What became of a wish. */
export interface Written extends Plan {
  /** The commit that was planned on. */
  base: string
  /** Who made it. */
  baseAuthor: string
  /** ms since the epoch. */
  baseTime: number
  /** The commit that was pushed; undefined when there was nothing to change. */
  commit?: string
  message?: string
}

const MAX_ATTEMPTS = 5

/**
 * Plans on what the branch holds now, commits and pushes. Where somebody else was faster, all of it is done again on
 * their commit: nothing is ever pushed over it. Killed at any point, the next run finds either nothing or all of it done.
 * @throws Outdated when another cluster has seen a newer image than this one; GitError, RegistryError, ReconcileError,
 * UpdateError
 */
export async function write(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  run: Run,
): Promise<Written> {
  for (let attempt = 1; ; attempt += 1) {
    const { base, written } = await planOn(context, wish, remote, run)
    if (written.files.size === 0) return pushOwed(context, wish, remote, written)
    await refuseOutdated(context, written.changes, run.signal)
    run.contest.refuse(wish.writer, written.changes)
    try {
      const pushed = await commitAndPush(context, wish, remote, base, written)
      run.contest.note(wish.writer, written.changes)
      return pushed
    } catch (error) {
      if (!(error instanceof GitError) || !isRace(error) || attempt === MAX_ATTEMPTS) throw error
      if (error.code === 'PushRejected' && !(await hasMoved(remote, wish, base.from))) throw error
      context.metrics.rejected()
      run.log.info({ branch: wish.branch, attempt }, 'the branch has moved; planning again')
    }
  }
}

const isRace = ({ code }: GitError): boolean => code === 'StaleReference' || code === 'PushRejected'

async function hasMoved(remote: RemoteOptions, { branch }: Wish, from: string | undefined): Promise<boolean> {
  return headOf(await listRemote(remote), branch) !== from
}

/** Fetches what was pushed while nobody waits for it, so that the next commit need not. */
export async function fetchPushed(context: ImageContext, wish: Wish, remote: RemoteOptions): Promise<void> {
  try {
    await checkOut(await context.mirrors.of(wish.writer, wish.url), wish, remote)
  } catch (error) {
    if (!(error instanceof GitError)) throw error
  }
}

interface Run {
  markers: MarkerMemory
  contest: Contest
  signal: AbortSignal
  log: Log
}

/** A copy that a killed process has left behind half written is thrown away, once. */
async function planOn(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  run: Run,
): Promise<{ base: Base; written: Written }> {
  const mirror = await context.mirrors.of(wish.writer, wish.url)
  try {
    return await planIn(mirror, wish, remote, run)
  } catch (error) {
    if (!(error instanceof GitError) || error.code !== 'Damaged') throw error
    run.log.warn({ reason: error.message }, 'the copy of a repository is damaged and is fetched anew')
    await mirror.reset()
    return planIn(mirror, wish, remote, run)
  }
}

async function planIn(
  mirror: GitMirror,
  wish: Wish,
  remote: RemoteOptions,
  run: Run,
): Promise<{ base: Base; written: Written }> {
  const base = await checkOut(mirror, wish, remote)
  const { author, time } = await mirror.readCommit(base.commit)
  const planned = await planAll(base, wish.parts, run)
  return { base, written: { ...planned, base: base.commit, baseAuthor: author, baseTime: time } }
}

async function commitAndPush(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  { mirror, commit, from }: Base,
  written: Written,
): Promise<Written> {
  const { author } = wish.git.commit
  const message = wish.message(written.changes)
  const made = await writeCommit(mirror.dir, {
    parent: commit,
    changes: written.files,
    author: { name: author.name || author.email, email: author.email },
    timeMs: context.now(),
    message,
    ...(wish.sign === undefined ? {} : { sign: wish.sign }),
  })
  const { oid: to, pack } = made
  context.beforeWrite?.()
  await push(remote, { ...optionsOf(wish), to, pack, ref: `refs/heads/${wish.branch}`, from })
  await pushRefspec(remote, wish, { to, pack })
  context.metrics.pushed()
  return { ...written, commit: to, message }
}

function optionsOf({ git }: Wish): Pick<Push, 'options'> {
  const options = git.push?.options
  return options === undefined ? {} : { options }
}

/** spec.git.push.refspec: a second push, for servers that review what is pushed to another reference. */
async function pushRefspec(
  remote: RemoteOptions,
  wish: Wish,
  { to, pack }: Pick<Push, 'to' | 'pack'>,
): Promise<boolean> {
  const refspec = wish.git.push?.refspec
  if (refspec === undefined || refspec === '') return false
  const ref = readRefspec(refspec)
  const from = (await listRemote(remote)).refs.get(ref)?.oid
  if (from === to) return false
  await push(remote, { ...optionsOf(wish), to, pack, ref, from })
  return true
}

/** The branch has our commit, but the second push of it failed or was never made. */
async function pushOwed(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  written: Written,
): Promise<Written> {
  const { author } = wish.git.commit
  const isOurs = written.baseAuthor === (author.name || author.email)
  if (!isOurs || written.base === wish.lastPushCommit) return written
  const isPushed = await pushRefspec(remote, wish, { to: written.base, pack: EMPTY_PACK })
  if (!isPushed) return written
  context.metrics.pushed()
  return { ...written, commit: written.base, message: '' }
}

/** The destination of `refs/heads/main:refs/for/main`. @throws ReconcileError */
export function readRefspec(refspec: string): string {
  const match = /^[^:*\s]+:(refs\/[^:*\s]+)$/.exec(refspec.replace(/^\+/, ''))
  if (match?.[1] === undefined)
    throw new ReconcileError(
      'GitOperationFailed',
      `spec.git.push.refspec "${refspec}" is not source:refs/… without *`,
    )
  return match[1]
}
