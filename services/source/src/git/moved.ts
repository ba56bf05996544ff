import type { GitMirror } from '@setpoint/git'
import type { Surprise } from '../source-kind.ts'
import type { GitTask } from './git-context.ts'

/** How many commits back the last one is looked for. */
const MAX_COMMITS = 500

/** A tag that names another commit than before, or a branch whose history no longer has the last commit. */
export async function surpriseOf(
  task: GitTask,
  mirror: GitMirror,
  revision: string,
  commit: string,
): Promise<Surprise | undefined> {
  const { state } = task.known
  const { ref } = task.object.spec
  if (state === undefined || state.id === commit) return undefined
  const name = nameOf(revision)
  if (name === '' || name !== nameOf(state.revision)) return undefined
  const change = `from ${state.id} to ${commit}`
  if (ref?.tag || ref?.semver || ref?.name?.startsWith('refs/tags/'))
    return { reason: 'TagMoved', message: `tag '${name}' was moved ${change}` }
  if (ref?.commit || (await hasAncestor(mirror, commit, state.id))) return undefined
  return { reason: 'HistoryRewritten', message: `the history of '${name}' was rewritten ${change}` }
}

/** True also when that cannot be told, because the history that is here ends earlier. */
async function hasAncestor(mirror: GitMirror, commit: string, wanted: string): Promise<boolean> {
  const seen = new Set([commit])
  const open = [commit]
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const found = await mirror.readCommit(next).catch(() => undefined)
    if (found === undefined || seen.size > MAX_COMMITS) return true
    if (found.parents.includes(wanted)) return true
    for (const parent of found.parents) {
      if (seen.has(parent) || !(await mirror.has(parent))) continue
      seen.add(parent)
      open.push(parent)
    }
  }
  return false
}

function nameOf(revision: string): string {
  return revision.includes('@') ? revision.slice(0, revision.lastIndexOf('@')) : ''
}
