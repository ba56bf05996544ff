import { GitError, type GitMirror, type Resolved, type Signers, type Verified } from '@setpoint/git'
import { SourceFailure } from '../failure.ts'
import type { GitContext } from './git-context.ts'
import type { Verification } from './recipe.ts'

/** What was verified, as the status says it. */
export interface VerificationResult {
  mode: Verification['mode']
  message: string
}

/** Checks the signatures that spec.verify asks for. @throws SourceFailure when one is missing or wrong */
export async function verifySource(
  context: GitContext,
  { mode, signers }: Verification,
  mirror: GitMirror,
  { resolved, commit, fetchTag }: { resolved: Resolved; commit: string; fetchTag(): Promise<unknown> },
): Promise<VerificationResult> {
  const now = new Date(context.now())
  const good: string[] = []
  if (mode !== 'HEAD' && mode !== 'head')
    good.push(await verifyTag(signers, now, mirror, { resolved, fetchTag }))
  if (mode !== 'Tag') good.push(await verifyCommit(signers, now, mirror, commit))
  return { mode, message: `verified signature of\n${good.map((line) => `\t- ${line}`).join('\n')}` }
}

async function verifyCommit(signers: Signers, now: Date, mirror: GitMirror, commit: string): Promise<string> {
  const bytes = await mirror.readSignable(commit)
  if (bytes === undefined) throw failure('InvalidGitObject', `commit '${commit}' is not there`)
  const { key } = await checked(
    'InvalidCommitSignature',
    `commit '${commit}'`,
    signers.verifyCommit(bytes, now),
  )
  return `commit '${commit}' with key '${key}'`
}

async function verifyTag(
  signers: Signers,
  now: Date,
  mirror: GitMirror,
  { resolved, fetchTag }: { resolved: Resolved; fetchTag(): Promise<unknown> },
): Promise<string> {
  const { tagObject, refName = '' } = resolved
  const name = refName.replace('refs/tags/', '')
  if (tagObject === undefined)
    throw failure('InvalidGitObject', `tag '${name}' is not an annotated tag, so it has no signature`)
  let bytes = await mirror.readSignable(tagObject)
  if (bytes === undefined) {
    await fetchTag()
    bytes = await mirror.readSignable(tagObject)
  }
  if (bytes === undefined) throw failure('InvalidGitObject', `tag '${name}' moved while it was fetched`)
  const { key } = await checked(
    'InvalidTagSignature',
    `tag '${name}@${tagObject}'`,
    signers.verifyTag(bytes, now),
  )
  return `tag '${name}@${tagObject}' with key '${key}'`
}

async function checked(reason: string, what: string, verifying: Promise<Verified>): Promise<Verified> {
  try {
    return await verifying
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    throw failure(reason, `signature verification of ${what} failed: ${error.message}`)
  }
}

function failure(reason: string, message: string): SourceFailure {
  return new SourceFailure('SourceVerified', reason, message)
}
