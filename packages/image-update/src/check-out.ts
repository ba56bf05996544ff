import {
  type GitMirror,
  listRemote,
  type RemoteOptions,
  type RemoteRefs,
  resolveReference,
} from '@setpoint/git'
import type { Target } from './target.ts'

/** The commit to plan on. */
export interface Base {
  mirror: GitMirror
  commit: string
  /** Where the branch that is pushed to is; undefined when it does not exist. */
  from: string | undefined
}

/** The branch that is pushed to, where it exists; else what is checked out. @throws GitError */
export async function checkOut(
  mirror: GitMirror,
  { ref, branch }: Pick<Target, 'ref' | 'branch'>,
  remote: RemoteOptions,
): Promise<Base> {
  const refs = await listRemote(remote)
  const from = headOf(refs, branch)
  const resolved = resolveReference(refs, from === undefined ? ref : { branch })
  const commit = (await mirror.has(resolved.commit))
    ? resolved.commit
    : (await mirror.fetch(remote, resolved)).commit
  return { mirror, commit, from: from === undefined ? undefined : commit }
}

/** The commit that a branch is at; undefined when it does not exist. */
export function headOf(refs: RemoteRefs, branch: string): string | undefined {
  return refs.refs.get(`refs/heads/${branch}`)?.oid
}
