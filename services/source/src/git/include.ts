import type { Tree } from '@setpoint/artifact'
import {
  type Artifact,
  type ArtifactMessage,
  artifactMessage,
  GIT_REPOSITORY,
  type GitRepository,
  subjects,
} from '@setpoint/contracts'
import { Stalled } from '@setpoint/reconcile'
import type { SourceEntry } from '../entry.ts'
import { SourceFailure } from '../failure.ts'
import { openTree } from '../storage/recall.ts'
import type { GitContext, GitTask } from './git-context.ts'

const RETRY_MS = 30_000

/** Another GitRepository whose files come into the artifact. */
export interface Included {
  /** Directory of its artifact; '' for all of it. */
  fromPath: string
  /** Where its files go. */
  toPath: string
  message: ArtifactMessage
  artifact: Artifact
}

/** What is to be included, as it is now. @throws SourceFailure IncludeUnavailable */
export async function readIncludes(context: GitContext, task: GitTask): Promise<Included[]> {
  const { metadata, spec } = task.object
  const namespace = metadata.namespace ?? ''
  const includes: Included[] = []
  for (const { repository, fromPath = '', toPath = '' } of spec.include ?? []) {
    refuseCycle(context, task.object, repository.name)
    const found = await readRepository(context, task, namespace, repository.name)
    const subject = subjects.artifact({ kind: GIT_REPOSITORY.kind, namespace, name: repository.name })
    const last = await context.bus.last(artifactMessage, subject)
    const artifact = found.status?.artifact
    if (artifact === undefined || last?.data.tree === undefined)
      throw unavailable('NoArtifact', `the included GitRepository "${repository.name}" has no artifact yet`)
    const [from, to] = [plainPath(fromPath), plainPath(toPath === '' ? repository.name : toPath)]
    includes.push({ fromPath: from, toPath: to, message: last.data, artifact })
  }
  return includes
}

/** The files of included artifacts, where they go. @throws SourceFailure, BusError, ArtifactError */
export async function includedEntries(context: GitContext, includes: Included[]): Promise<SourceEntry[]> {
  const entries: SourceEntry[] = []
  for (const { fromPath, toPath, message } of includes) {
    if (message.tree === undefined) continue
    const tree = await openTree(context, message.tree)
    learn(context, tree)
    const prefix = fromPath === '' ? '' : `${fromPath}/`
    const chosen = [...tree.files().values()].filter(({ path }) => path.startsWith(prefix))
    if (chosen.length === 0)
      throw new SourceFailure(
        'StorageOperationFailed',
        'CopyFailure',
        `the included GitRepository "${message.name}" has no directory "${fromPath}"`,
      )
    for (const file of chosen) {
      const { blobId, mode, size } = file
      const path = [toPath, file.path.slice(prefix.length)].filter((part) => part !== '').join('/')
      const read = () => context.packs.read(tree, file)
      entries.push({ path, oid: blobId, mode, read, blob: { blobId, size } })
    }
  }
  return entries
}

/** What is included need not be stored again. */
function learn({ packs }: GitContext, tree: Tree): void {
  const places = [...tree.files().values()].flatMap(({ blobId }) => {
    const pack = tree.packOf(blobId)
    return pack === undefined ? [] : [[blobId, pack] as const]
  })
  packs.learn(new Map(places))
}

/** True when one GitRepository includes another. */
export function includes({ metadata, spec }: GitRepository, other: GitRepository): boolean {
  return (
    metadata.namespace === other.metadata.namespace &&
    (spec.include ?? []).some(({ repository }) => repository.name === other.metadata.name)
  )
}

/** What includes itself would grow for ever. */
function refuseCycle(context: GitContext, self: GitRepository, name: string): void {
  const namespace = self.metadata.namespace ?? ''
  const seen = new Set<string>()
  const open = [name]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === self.metadata.name)
      throw new Stalled('IncludeUnavailable', `spec.include leads from "${name}" back to this GitRepository`)
    if (seen.has(next)) continue
    seen.add(next)
    const { include = [] } = context.objects.get(`${namespace}/${next}`)?.spec ?? {}
    open.push(...include.map(({ repository }) => repository.name))
  }
}

async function readRepository(context: GitContext, task: GitTask, namespace: string, name: string) {
  const key = `${namespace}/${name}`
  const found =
    context.objects.get(key) ??
    ((await context.kube.get(GIT_REPOSITORY, { namespace, name }, { signal: task.signal })) as
      | GitRepository
      | undefined)
  if (found === undefined)
    throw unavailable('NotFound', `the included GitRepository "${name}" does not exist`)
  return found
}

/** A path without `.`, empty parts and slashes at its ends. @throws SourceFailure when it leaves the artifact */
function plainPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..'))
    throw new SourceFailure(
      'StorageOperationFailed',
      'IllegalPath',
      `"${path}" in spec.include leaves the artifact`,
    )
  return parts.join('/')
}

function unavailable(reason: string, message: string): SourceFailure {
  return new SourceFailure('IncludeUnavailable', reason, message, { retryAfterMs: RETRY_MS })
}
