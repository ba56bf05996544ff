import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { remoteOf } from '@setpoint/access'
import { CloudLogins, GitLogins } from '@setpoint/cloud'
import type { GitRepository, ImagePolicy, ImageUpdateAutomation } from '@setpoint/contracts'
import { DEFAULT_PACK_LIMITS, GitHubApps, openMirror, type RemoteOptions } from '@setpoint/git'
import {
  byMarker,
  checkOut,
  commitMessage,
  type FileChange,
  MarkerMemory,
  planAll,
  policiesOf,
  type Target,
  targetOf,
} from '@setpoint/image-update'
import type { KubeClient } from '@setpoint/kube'
import { createTwoFilesPatch } from 'diff'
import { gitRepository, imagePolicy } from '../cluster/kinds.ts'
import { listManaged } from '../cluster/managed-object.ts'
import { readSecret } from './read-secret.ts'

/** What the next run of an automation would push. */
export interface UpdatePreview {
  url: string
  branch: string
  /** The commit that it would follow. */
  base: string
  /** Of the commit; '' when nothing would change. */
  message: string
  changes: FileChange[]
  /** Markers and files that cannot be obeyed. */
  problems: string[]
  /** Policies that have chosen nothing yet. */
  withoutImage: string[]
  /** A patch, as `git apply` takes it. */
  patch: string
}

/**
 * Plans what an automation would commit, on a copy of the repository that is thrown away. Nothing is written.
 * @throws CommandError, AccessError, UpdateError, GitError
 */
export async function previewUpdate(
  kube: KubeClient,
  automation: ImageUpdateAutomation,
  options: { signal: AbortSignal; now(): number },
): Promise<UpdatePreview> {
  const target = await readTarget(kube, automation)
  const policies = policiesOf(automation, await readPolicies(kube, automation))
  const remote = await readRemote(kube, target.source, options)
  const parts = [{ path: automation.spec.update?.path, images: byMarker(policies) }]
  const directory = await mkdtemp(join(tmpdir(), 'setpoint-preview-'))
  try {
    const { url } = target.source.spec
    const base = await checkOut(await openMirror(directory, { url }), target, remote)
    const { files, changes, problems } = await planAll(base, parts, {
      markers: new MarkerMemory(),
      signal: options.signal,
    })
    const tree = await base.mirror.readTree(base.commit)
    const before = async (path: string) =>
      base.mirror.readBlob(tree.find((entry) => entry.path === path)?.oid ?? '')
    return {
      url,
      branch: target.branch,
      base: base.commit,
      message: changes.length === 0 ? '' : commitMessage(automation, changes),
      changes,
      problems,
      withoutImage: policies.filter(({ status }) => !status?.latestRef).map(({ metadata }) => metadata.name),
      patch: await patchOf(files, before),
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function readTarget(kube: KubeClient, automation: ImageUpdateAutomation): Promise<Target> {
  const { name, namespace = automation.metadata.namespace } = automation.spec.sourceRef
  const source = (await kube.get(gitRepository.ref, { namespace, name })) as GitRepository | undefined
  return targetOf(automation, { get: () => source, allowCrossNamespace: true })
}

async function readPolicies(kube: KubeClient, { metadata }: ImageUpdateAutomation): Promise<ImagePolicy[]> {
  return (await listManaged(kube, imagePolicy, metadata.namespace)) as unknown as ImagePolicy[]
}

async function readRemote(
  kube: KubeClient,
  { metadata, spec }: GitRepository,
  { signal, now }: { signal: AbortSignal; now(): number },
): Promise<RemoteOptions> {
  const namespace = metadata.namespace ?? ''
  return remoteOf(spec, {
    secret: await readSecret(kube, namespace, spec.secretRef),
    proxySecret: await readSecret(kube, namespace, spec.proxySecretRef),
    githubApps: new GitHubApps(now),
    // Whoever runs this is who the cloud is asked as.
    gitLogins: new GitLogins(new CloudLogins({ kube, now, objectLevel: true }), now),
    namespace,
    limits: { packLimits: DEFAULT_PACK_LIMITS },
    signal,
  })
}

async function patchOf(
  files: ReadonlyMap<string, Uint8Array>,
  before: (path: string) => Promise<Uint8Array>,
): Promise<string> {
  const patches: string[] = []
  for (const [path, after] of files) {
    const [old, next] = [await before(path), after].map((bytes) => Buffer.from(bytes).toString('utf8'))
    const patch = createTwoFilesPatch(`a/${path}`, `b/${path}`, old ?? '', next ?? '')
    patches.push(patch.replace(/^=+\n/, ''))
  }
  return patches.join('')
}
