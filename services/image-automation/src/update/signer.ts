import { type CommitSigner, openpgpSigner, sshSigner } from '@setpoint/git'
import type { GitSettings } from '@setpoint/image-update'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageContext } from '../context.ts'
import { readSecret } from '../secret.ts'

const REASON = 'SourceManagerFailed'

/** Who signs the commits of an automation; undefined when nobody does. @throws ReconcileError, GitError */
export async function signerOf(
  context: ImageContext,
  namespace: string,
  { commit }: GitSettings,
  signal: AbortSignal,
): Promise<CommitSigner | undefined> {
  const { signingKey } = commit
  const secret = await readSecret(context, namespace, signingKey?.secretRef, { signal, reason: REASON })
  if (signingKey === undefined || secret === undefined) return undefined
  const isSsh = signingKey.type === 'ssh'
  const field = isSsh ? 'identity' : 'git.asc'
  const key = secret.get(field)
  if (key === undefined)
    throw new ReconcileError(REASON, `Secret "${secret.name}" has no ${field}, the key that signs commits`)
  if (isSsh) return sshSigner({ key, passphrase: secret.get('password') })
  return openpgpSigner({ key, passphrase: secret.get('passphrase'), now: context.now })
}
