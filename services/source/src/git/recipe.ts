import { createHash } from 'node:crypto'
import type { GitRepositoryVerification } from '@setpoint/contracts'
import { GitError, readSigners, type Signers } from '@setpoint/git'
import { Stalled } from '@setpoint/reconcile'
import { SourceFailure } from '../failure.ts'
import { readSecret } from '../secret.ts'
import type { GitContext, GitTask } from './git-context.ts'
import { type Included, readIncludes } from './include.ts'

export interface Verification {
  mode: NonNullable<GitRepositoryVerification['mode']>
  signers: Signers
}

/** How an artifact is made of a commit. */
export interface Recipe {
  /** Equal digests make equal artifacts of equal commits. Covers what is included and who is trusted. */
  digest: string
  verification: Verification | undefined
  includes: Included[]
}

/** @throws Stalled, SourceFailure */
export async function readRecipe(context: GitContext, task: GitTask): Promise<Recipe> {
  const { ignore, sparseCheckout, recurseSubmodules } = task.object.spec
  const includes = await readIncludes(context, task)
  const trusted = await readTrusted(context, task)
  const text = JSON.stringify([
    ignore ?? '',
    sparseCheckout ?? [],
    recurseSubmodules === true,
    includes.map(({ fromPath, toPath, message }) => [fromPath, toPath, message.tree?.digest]),
    task.object.spec.verify?.mode,
    [...(trusted ?? [])],
  ])
  return {
    digest: createHash('sha256').update(text).digest('hex'),
    verification: trusted && {
      mode: task.object.spec.verify?.mode ?? 'HEAD',
      signers: await signersOf(trusted),
    },
    includes,
  }
}

/** Public keys by name; undefined when nothing has to be verified. */
async function readTrusted(context: GitContext, task: GitTask): Promise<Map<string, string> | undefined> {
  const { verify, ref } = task.object.spec
  if (verify === undefined) return undefined
  const hasTag = Boolean(ref?.tag || ref?.semver || ref?.name?.startsWith('refs/tags/'))
  if ((verify.mode === 'Tag' || verify.mode === 'TagAndHEAD') && !hasTag)
    throw new Stalled(
      'InvalidVerificationMode',
      `spec.verify.mode ${verify.mode} needs a tag: set spec.ref.tag, semver or a name below refs/tags/`,
    )
  try {
    const secret = await readSecret(context, task, verify.secretRef)
    const keys = (secret?.keys ?? []).map((key) => [key, secret?.get(key) ?? ''] as const)
    if (keys.length === 0) throw unverified('the Secret in spec.verify.secretRef holds no public keys')
    return new Map(keys)
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error
    throw unverified(error.message)
  }
}

async function signersOf(trusted: Map<string, string>): Promise<Signers> {
  try {
    return await readSigners(trusted)
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    throw unverified(`the Secret in spec.verify.secretRef cannot be used: ${error.message}`)
  }
}

function unverified(message: string): SourceFailure {
  return new SourceFailure('SourceVerified', 'VerificationError', message)
}
