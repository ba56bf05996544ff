import type { GitRepositoryRef, ImageReference } from '@setpoint/contracts'
import {
  GitError,
  type GitMirror,
  listRemote,
  push,
  type RemoteOptions,
  type RemoteRefs,
  resolveReference,
  writeCommit,
} from '@setpoint/git'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageContext, Log } from '../context.ts'
import { type MarkerMemory, type Plan, plan } from './plan.ts'
import type { GitSettings } from './target.ts'

/** One commit that is to be made: what several automations with the same settings want. */
export interface Wish {
  writer: string
  url: string
  ref: GitRepositoryRef
  branch: string
  git: GitSettings
  parts: { path: string | undefined; images: ReadonlyMap<string, ImageReference> }[]
  message(changes: Plan): string
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
 * @throws GitError, ReconcileError
 */
export async function write(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  run: { markers: MarkerMemory; signal: AbortSignal; log: Log },
): Promise<Written> {
  for (let attempt = 1; ; attempt += 1) {
    const base = await checkOut(context, wish, remote)
    const written = await planAll(wish, base, run)
    if (written.files.size === 0) return written
    try {
      return await commitAndPush(context, wish, remote, base, written)
    } catch (error) {
      if (!(error instanceof GitError) || !isRace(error) || attempt === MAX_ATTEMPTS) throw error
      if (error.code === 'PushRejected' && !(await hasMoved(remote, wish, base.from))) throw error
      context.metrics.rejected()
      run.log.info({ branch: wish.branch, attempt }, 'the branch has moved; planning again')
    }
  }
}

const isRace = ({ code }: GitError): boolean => code === 'StaleReference' || code === 'PushRejected'

interface Base {
  mirror: GitMirror
  commit: string
  /** Where the branch that is pushed to is; undefined when it does not exist. */
  from: string | undefined
}

/** The branch that is pushed to, where it exists; else what is checked out. */
async function checkOut(
  context: ImageContext,
  { writer, url, ref, branch }: Wish,
  remote: RemoteOptions,
): Promise<Base> {
  const refs = await listRemote(remote)
  const from = headOf(refs, branch)
  const resolved = resolveReference(refs, from === undefined ? ref : { branch })
  const mirror = await context.mirrors.of(writer, url)
  const commit = (await mirror.has(resolved.commit))
    ? resolved.commit
    : (await mirror.fetch(remote, resolved)).commit
  return { mirror, commit, from: from === undefined ? undefined : commit }
}

function headOf(refs: RemoteRefs, branch: string): string | undefined {
  return refs.refs.get(`refs/heads/${branch}`)?.oid
}

async function hasMoved(remote: RemoteOptions, { branch }: Wish, from: string | undefined): Promise<boolean> {
  return headOf(await listRemote(remote), branch) !== from
}

async function planAll(
  wish: Wish,
  { mirror, commit }: Base,
  { markers, signal }: { markers: MarkerMemory; signal: AbortSignal },
): Promise<Written> {
  const { author, time } = await mirror.readCommit(commit)
  const tree = await mirror.readTree(commit)
  const written: Written = {
    base: commit,
    baseAuthor: author,
    baseTime: time,
    files: new Map(),
    changes: [],
    problems: [],
  }
  for (const { path, images } of wish.parts) {
    const part = await plan({ mirror, tree, markers, path, images, planned: written.files, signal })
    for (const [file, content] of part.files) written.files.set(file, content)
    written.changes.push(...part.changes)
    for (const problem of part.problems)
      if (!written.problems.includes(problem)) written.problems.push(problem)
  }
  mirror.release()
  return written
}

async function commitAndPush(
  context: ImageContext,
  wish: Wish,
  remote: RemoteOptions,
  { mirror, commit, from }: Base,
  written: Written,
): Promise<Written> {
  const { author } = wish.git.commit
  const message = wish.message(written)
  const made = await writeCommit(mirror.dir, {
    parent: commit,
    changes: written.files,
    author: { name: author.name || author.email, email: author.email },
    timeMs: context.now(),
    message,
    ...(wish.sign === undefined ? {} : { sign: wish.sign }),
  })
  const { oid: to, pack } = made
  const options = wish.git.push?.options
  const common = { to, pack, ...(options === undefined ? {} : { options }) }
  await push(remote, { ...common, ref: `refs/heads/${wish.branch}`, from })
  await pushRefspec(remote, wish, common)
  context.metrics.pushed()
  return { ...written, commit: to, message }
}

/** spec.git.push.refspec: a second push, for servers that review what is pushed to another reference. */
async function pushRefspec(
  remote: RemoteOptions,
  { git }: Wish,
  common: { to: string; pack: Uint8Array; options?: Readonly<Record<string, string>> },
): Promise<void> {
  const refspec = git.push?.refspec
  if (refspec === undefined || refspec === '') return
  const ref = readRefspec(refspec)
  const refs = await listRemote(remote)
  await push(remote, { ...common, ref, from: refs.refs.get(ref)?.oid })
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
