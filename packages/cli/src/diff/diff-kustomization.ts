import {
  buildObjects,
  DecryptionError,
  type IgnoredFields,
  IgnoreRuleError,
  ignoredPaths,
  keepIgnored,
  type ReadData,
  readIgnoreRules,
  readKeys,
  readVariables,
  VariablesError,
} from '@setpoint/build'
import {
  APPLY_FIELD_MANAGER,
  KUSTOMIZATION,
  type Kustomization,
  OWNER_NAME_LABEL,
  OWNER_NAMESPACE_LABEL,
  PRUNE_SWITCH,
  pruneProblem,
  SOURCE_GROUP,
  type SourceObject,
  wishesOf,
} from '@setpoint/contracts'
import { SecretKeyServices } from '@setpoint/kms'
import { KubeApiError, type KubeClient, NoMatchError } from '@setpoint/kube'
import type { FileSource } from '@setpoint/kustomize'
import {
  describeRef,
  type GroupVersionKind,
  gvkOf,
  inventoryId,
  type KubeObject,
  type ObjectRef,
  parseInventoryId,
  refOf,
} from '@setpoint/manifest'
import { directoryFiles, treePath } from '../directory-files.ts'
import { CommandError } from '../errors.ts'
import { fetchArtifact } from './archive.ts'
import { differences, type FieldChange } from './differences.ts'

/** What would happen to one object. */
export interface ObjectChange {
  /** As events name it: `Deployment/prod/web`. */
  object: string
  action: 'created' | 'configured' | 'deleted' | 'refused'
  fields: FieldChange[]
  /** Why the API server refuses it, or why its deletion would wait for an approval. */
  message?: string
}

/** Two-way failures of a diff leave with 2, as kubectl diff does. */
const FAILED = { exitCode: 2 }

export interface DiffOptions {
  kube: KubeClient
  /** The directory that stands for spec.path; without it, the artifact that the cluster has. */
  path: string | undefined
  signal: AbortSignal
}

/** What applying a Kustomization would change, asked of the API server by dry runs. Nothing is written. */
export async function diffKustomization(
  kustomization: Kustomization,
  options: DiffOptions,
): Promise<ObjectChange[]> {
  refuseOtherClusters(kustomization)
  const rules = readRules(kustomization)
  const { objects, decrypted } = await desiredObjects(kustomization, options)
  const changes: ObjectChange[] = []
  for (const object of objects) {
    const ignored = ignoredPaths(rules, object)
    const change = await changeOf(options.kube, object, { ignored, hideValues: decrypted.has(object) })
    if (change !== undefined) changes.push(change)
  }
  if (kustomization.spec.prune) changes.push(...(await pruned(options.kube, kustomization, objects)))
  return changes
}

function refuseOtherClusters({ spec }: Kustomization): void {
  if (spec.kubeConfig !== undefined)
    throw new CommandError(
      'the Kustomization is applied to another cluster (spec.kubeConfig); diff compares with this one only',
      FAILED,
    )
}

function readRules(kustomization: Kustomization): IgnoredFields[] {
  try {
    return readIgnoreRules(kustomization)
  } catch (error) {
    throw error instanceof IgnoreRuleError ? new CommandError(error.message, FAILED) : error
  }
}

interface Desired {
  objects: KubeObject[]
  /** Those that hold decrypted values. */
  decrypted: ReadonlySet<KubeObject>
}

async function desiredObjects(kustomization: Kustomization, options: DiffOptions): Promise<Desired> {
  const { files, path } = await filesOf(kustomization, options)
  const inputs = await readInputs(kustomization, options.kube)
  const built = await buildObjects({ ...kustomization, spec: { ...kustomization.spec, path } }, files, inputs)
  if (built.problem !== undefined) throw new CommandError(built.problem.message, FAILED)
  return built as unknown as Desired
}

/** Variables and keys, read with the rights of whoever asks. */
async function readInputs(kustomization: Kustomization, kube: KubeClient) {
  const read: ReadData = (kind, key) => kube.get({ group: '', version: 'v1', kind }, key)
  try {
    return {
      variables: await readVariables(read, kustomization),
      decryption: await readKeys(read, kustomization, { checkMac: true, remote: new SecretKeyServices({}) }),
    }
  } catch (error) {
    throw error instanceof VariablesError || error instanceof DecryptionError
      ? new CommandError(error.message, FAILED)
      : error
  }
}

async function filesOf(
  { spec, metadata }: Kustomization,
  { kube, path, signal }: DiffOptions,
): Promise<{ files: FileSource; path: string }> {
  if (path !== undefined) return { files: directoryFiles(), path: treePath(path, process.cwd()) }
  const source = {
    namespace: spec.sourceRef.namespace ?? metadata.namespace ?? '',
    name: spec.sourceRef.name,
  }
  const { kind } = spec.sourceRef
  const object = (await kube.get({ group: SOURCE_GROUP, kind }, source)) as SourceObject | undefined
  const url = object?.status?.artifact?.url
  if (url === undefined)
    throw new CommandError(
      `${kind} ${source.namespace}/${source.name} has no artifact; give the files with --path DIR`,
      FAILED,
    )
  return { files: await fetchArtifact(url, signal), path: spec.path ?? '' }
}

async function changeOf(
  kube: KubeClient,
  object: KubeObject,
  { ignored, hideValues }: { ignored: string[][]; hideValues: boolean },
): Promise<ObjectChange | undefined> {
  const name = describeRef(refOf(object))
  try {
    const live = await kube.get(gvkOf(object), object.metadata)
    const desired = live === undefined ? object : keepIgnored(object, live, ignored)
    const after = await kube.apply(desired, { fieldManager: APPLY_FIELD_MANAGER, force: true, dryRun: true })
    if (live === undefined) return { object: name, action: 'created', fields: [] }
    const fields = differences(live, after, { hideValues })
    return fields.length === 0 ? undefined : { object: name, action: 'configured', fields }
  } catch (error) {
    if (!(error instanceof KubeApiError || error instanceof NoMatchError)) throw error
    return { object: name, action: 'refused', fields: [], message: error.message }
  }
}

/** What would be deleted: in the inventory, no longer wanted, still there and ours; and whether that would wait. */
async function pruned(
  kube: KubeClient,
  kustomization: Kustomization,
  objects: KubeObject[],
): Promise<ObjectChange[]> {
  const entries = kustomization.status?.inventory?.entries ?? []
  const wanted = new Set([
    ...objects.map((object) => inventoryId(refOf(object))),
    ...(await declaredElsewhere(kube, kustomization)),
  ])
  const going: ObjectRef[] = []
  for (const { id, v } of entries.filter((entry) => !wanted.has(entry.id))) {
    const ref = parseInventoryId(id)
    const live = await liveOf(kube, { group: ref.group, version: v, kind: ref.kind }, ref)
    if (live !== undefined && isPrunable(live, kustomization)) going.push(ref)
  }
  const problem = pruneProblem({
    candidates: going.map((ref) => ({
      name: describeRef(ref),
      group: ref.group,
      kind: ref.kind,
      carries: [],
    })),
    inventorySize: entries.length,
    emptied: objects.length === 0,
    firstSync: kustomization.status?.lastAppliedRevision === undefined,
    budget: wishesOf(kustomization).wishes.pruneBudget,
  })
  const message = problem === undefined ? {} : { message: `waits for an approval; ${problem}` }
  return going.map((ref) => ({ object: describeRef(ref), action: 'deleted', fields: [], ...message }))
}

/** Ids that other Kustomizations have in their inventory: those are handed over. */
async function declaredElsewhere(kube: KubeClient, { metadata }: Kustomization): Promise<string[]> {
  const all = (await kube.list(KUSTOMIZATION)) as Kustomization[]
  return all
    .filter((other) => other.metadata.uid !== metadata.uid && other.metadata.deletionTimestamp === undefined)
    .flatMap(({ status }) => (status?.inventory?.entries ?? []).map(({ id }) => id))
}

async function liveOf(
  kube: KubeClient,
  gvk: GroupVersionKind,
  ref: ObjectRef,
): Promise<KubeObject | undefined> {
  try {
    return await kube.get(gvk, ref, { metadataOnly: true })
  } catch (error) {
    if (error instanceof NoMatchError) return undefined
    throw error
  }
}

function isPrunable({ metadata }: KubeObject, owner: Kustomization): boolean {
  const { labels = {}, annotations = {} } = metadata
  const isOurs =
    labels[OWNER_NAME_LABEL] === owner.metadata.name &&
    labels[OWNER_NAMESPACE_LABEL] === owner.metadata.namespace
  const switched = [labels[PRUNE_SWITCH], annotations[PRUNE_SWITCH]].some(
    (value) => value?.toLowerCase() === 'disabled',
  )
  return isOurs && !switched && metadata.deletionTimestamp === undefined
}
