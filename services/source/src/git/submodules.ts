import { createHash } from 'node:crypto'
import {
  displayUrl,
  GitError,
  type GitMirror,
  openMirror,
  parseGitmodules,
  type RemoteOptions,
  submoduleUrl,
  type TreeEntry,
} from '@setpoint/git'
import type { SourceEntry } from '../entry.ts'
import { toEntries } from './entries.ts'
import type { GitContext, GitTask } from './git-context.ts'
import { fetchPinned } from './pinned.ts'

const MAX_DEPTH = 10
const MAX_SUBMODULES = 100

interface Repository {
  mirror: GitMirror
  remote: RemoteOptions
  commit: string
  tree: TreeEntry[]
}

/** The files of all submodules, at every depth. @throws GitError */
export async function submoduleEntries(
  context: GitContext,
  task: GitTask,
  repository: Repository,
): Promise<SourceEntry[]> {
  const budget = { left: MAX_SUBMODULES }
  return collect(context, task, repository, { prefix: '', depth: 1, budget })
}

async function collect(
  context: GitContext,
  task: GitTask,
  { mirror, remote, commit, tree }: Repository,
  at: { prefix: string; depth: number; budget: { left: number } },
): Promise<SourceEntry[]> {
  const links = tree.filter(({ mode }) => mode === '160000')
  if (links.length === 0) return []
  if (at.depth > MAX_DEPTH) throw new GitError('TooLarge', `submodules are nested deeper than ${MAX_DEPTH}`)
  const modules = await readModules(mirror, commit)
  const entries: SourceEntry[] = []
  for (const { path, oid } of links) {
    const module = modules.find((each) => each.path === path)
    if (module === undefined)
      throw new GitError('RefNotFound', `the submodule "${at.prefix}${path}" is not in .gitmodules`)
    at.budget.left -= 1
    if (at.budget.left < 0) throw new GitError('TooLarge', `there are more than ${MAX_SUBMODULES} submodules`)
    const inner = await open(context, task, ownWay(remote, submoduleUrl(remote.url, module)), oid)
    const prefix = `${at.prefix}${path}/`
    for (const entry of toEntries(inner.tree, inner.mirror, inner.remote))
      entries.push({ ...entry, path: `${prefix}${entry.path}` })
    entries.push(...(await collect(context, task, inner, { prefix, depth: at.depth + 1, budget: at.budget })))
  }
  return entries
}

async function readModules(mirror: GitMirror, commit: string) {
  const file = (await mirror.readTree(commit)).find(
    ({ path, mode }) => path === '.gitmodules' && mode === '100644',
  )
  return file === undefined
    ? []
    : parseGitmodules(Buffer.from(await mirror.readBlob(file.oid)).toString('utf8'))
}

/** Credentials go to a submodule on the same host only. */
function ownWay(parent: RemoteOptions, url: string): RemoteOptions {
  const [from, to] = [new URL(parent.url), new URL(url)]
  if (from.protocol === to.protocol && from.host === to.host) {
    to.username = from.username
    to.password = from.password
    return { ...parent, url: to.href }
  }
  const { auth: _auth, ssh: _ssh, clientCertificate: _certificate, ...way } = parent
  return { ...way, url }
}

async function open(
  context: GitContext,
  task: GitTask,
  remote: RemoteOptions,
  commit: string,
): Promise<Repository> {
  const shown = displayUrl(remote.url)
  const name = createHash('sha256').update(shown).digest('hex').slice(0, 16)
  const mirror = await openMirror(`${context.states.mirrorDirectory(task.known.uid)}-modules/${name}`, {
    url: remote.url,
    trees: context.limits.trees,
  })
  try {
    if (!(await mirror.has(commit))) {
      await fetchPinned(context, task, mirror, remote, { commit, revisionOf: (oid) => `sha1:${oid}` })
    }
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    throw new GitError(error.code, `submodule ${shown}: ${error.message}`, { cause: error })
  }
  return { mirror, remote, commit, tree: await mirror.readTree(commit) }
}
