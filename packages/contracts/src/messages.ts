import type { MessageType } from './envelope.ts'
import type { Fields } from './fields.ts'

/** Where the bytes of one stored object are. Small ones travel inside the message. */
export interface StoredBytes {
  /** `sha256:<hex>` of the bytes. */
  digest: string
  /** Bytes. */
  size: number
  /** Base64, when the bytes travel in the message. */
  inline?: string
  /** Its name in the bucket, when they do not. */
  object?: string
}

/** source → kustomize-render, image-automation: what a source holds now. */
export interface ArtifactMessage {
  kind: string
  namespace: string
  name: string
  uid: string
  /** Flux's revision, such as `main@sha1:<40 hex>`. Empty when the source was deleted. */
  revision: string
  /** What the origin says that the artifact was made of, such as a commit; absent when it says nothing. */
  originRevision?: string
  /** Where Flux-compatible consumers get the .tar.gz. */
  url: string
  /** The file tree, or absent when the source was deleted. */
  tree?: ArtifactTree
}

/**
 * A file tree as a full snapshot plus, when files have changed since, one delta against that snapshot. Both name the
 * packs that hold the contents. The last message is enough to build the tree; who holds the snapshot and the packs needs
 * only the delta.
 */
export interface ArtifactTree {
  /** `sha256:<hex>` of the listing of the snapshot and of what differs from it: equal digests mean equal trees. */
  digest: string
  files: number
  snapshot: StoredBytes
  delta?: StoredBytes
  /** The archive, where it is served as it was fetched: it cannot be made of the files. */
  archive?: StoredBytes
}

export const artifactMessage: MessageType<ArtifactMessage> = {
  name: 'artifact',
  read: (data) => ({
    kind: data.string('kind'),
    namespace: data.string('namespace'),
    name: data.string('name'),
    uid: data.string('uid'),
    revision: data.string('revision'),
    ...readOrigin(data),
    url: data.string('url'),
    ...present('tree', data.optionalObject('tree'), readArtifactTree),
  }),
}

/** @throws FieldError */
export function readArtifactTree(tree: Fields): ArtifactTree {
  return {
    digest: tree.string('digest'),
    files: tree.number('files'),
    snapshot: readStored(tree.object('snapshot')),
    ...present('delta', tree.optionalObject('delta'), readStored),
    ...present('archive', tree.optionalObject('archive'), readStored),
  }
}

/** kustomize-render → apply: the objects a Kustomization stands for, or why they could not be built. */
export interface RenderedMessage {
  namespace: string
  name: string
  /** uid and generation of the Kustomization that was rendered; apply waits until they match what it sees. */
  uid: string
  generation: number
  /** The reconcile.fluxcd.io/requestedAt value that was seen; '' when there was none. */
  requestedAt: string
  source: { kind: string; namespace: string; name: string }
  /** The source revision that was rendered; '' when the source had none. */
  revision: string
  /** What the artifact was made of, when the source says so. */
  originRevision?: string
  /** Exactly one of set and problem. */
  set?: RenderedSet
  problem?: RenderProblem
}

export interface RenderedSet {
  /** `sha256:<hex>` of the rendered YAML before sealing: equal digests mean equal objects. */
  digest: string
  objects: number
  /** The sealed set. */
  sealed: StoredBytes
}

/** A Kustomization that could not be rendered. Nothing is applied or pruned because of it. */
export interface RenderProblem {
  /** A Flux condition reason: ArtifactFailed, BuildFailed, NotImplemented, AccessDenied … */
  reason: string
  message: string
  /** True when only a change of the spec can help: shown as Stalled. */
  stalled: boolean
}

export const renderedMessage: MessageType<RenderedMessage> = {
  name: 'rendered',
  read: (data) => {
    const source = data.object('source')
    return {
      namespace: data.string('namespace'),
      name: data.string('name'),
      uid: data.string('uid'),
      generation: data.number('generation'),
      requestedAt: data.string('requestedAt'),
      source: {
        kind: source.string('kind'),
        namespace: source.string('namespace'),
        name: source.string('name'),
      },
      revision: data.string('revision'),
      ...readOrigin(data),
      ...present('set', data.optionalObject('set'), (set) => ({
        digest: set.string('digest'),
        objects: set.number('objects'),
        sealed: readStored(set.object('sealed')),
      })),
      ...present('problem', data.optionalObject('problem'), (problem) => ({
        reason: problem.string('reason'),
        message: problem.string('message'),
        stalled: problem.boolean('stalled'),
      })),
    }
  },
}

/** apply → dependants, console, notification: how the last reconciliation of a Kustomization ended. */
export interface OutcomeMessage {
  namespace: string
  name: string
  uid: string
  generation: number
  revision: string
  ready: 'True' | 'False' | 'Unknown'
  healthy?: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** `sha256:<hex>` over the inventory ids: changes when the set of objects does. */
  inventoryDigest: string
  /** Milliseconds by step: plan, apply, prune, health, commitToReady … */
  timingsMs: Record<string, number>
}

export const outcomeMessage: MessageType<OutcomeMessage> = {
  name: 'outcome',
  read: (data) => ({
    namespace: data.string('namespace'),
    name: data.string('name'),
    uid: data.string('uid'),
    generation: data.number('generation'),
    revision: data.string('revision'),
    ready: data.oneOf('ready', ['True', 'False', 'Unknown']),
    ...(data.optionalString('healthy') === undefined
      ? {}
      : { healthy: data.oneOf('healthy', ['True', 'False', 'Unknown']) }),
    reason: data.string('reason'),
    message: data.string('message'),
    inventoryDigest: data.string('inventoryDigest'),
    timingsMs: data.numberMap('timingsMs'),
  }),
}

/** anyone → the owner of an object: look again now. The object is named by the subject. */
export interface ReconcileHint {
  /** Who asks, for the log: `cli`, `image-automation`, `webhook` … */
  requestedBy: string
}

export const reconcileHint: MessageType<ReconcileHint> = {
  name: 'reconcile',
  read: (data) => ({ requestedBy: data.string('requestedBy') }),
}

/** all → notification, console: Flux's event payload. */
export interface EventMessage {
  involvedObject: {
    apiVersion: string
    kind: string
    namespace: string
    name: string
    uid: string
    resourceVersion: string
  }
  severity: 'trace' | 'info' | 'error'
  /** RFC 3339. */
  timestamp: string
  message: string
  reason: string
  metadata: Record<string, string>
  reportingController: string
  reportingInstance: string
}

export const eventMessage: MessageType<EventMessage> = {
  name: 'event',
  read: (data) => {
    const object = data.object('involvedObject')
    return {
      involvedObject: {
        apiVersion: object.string('apiVersion'),
        kind: object.string('kind'),
        namespace: object.string('namespace'),
        name: object.string('name'),
        uid: object.string('uid'),
        resourceVersion: object.string('resourceVersion'),
      },
      severity: data.oneOf('severity', ['trace', 'info', 'error']),
      timestamp: data.string('timestamp'),
      message: data.string('message'),
      reason: data.string('reason'),
      metadata: data.stringMap('metadata'),
      reportingController: data.string('reportingController'),
      reportingInstance: data.string('reportingInstance'),
    }
  },
}

function readOrigin(data: Fields): { originRevision?: string } {
  const originRevision = data.optionalString('originRevision')
  return originRevision === undefined ? {} : { originRevision }
}

function readStored(stored: Fields): StoredBytes {
  const inline = stored.optionalString('inline')
  const object = stored.optionalString('object')
  return {
    digest: stored.string('digest'),
    size: stored.number('size'),
    ...(inline === undefined ? {} : { inline }),
    ...(object === undefined ? {} : { object }),
  }
}

/** `{[name]: read(value)}` when the value is there, else nothing: optional fields are absent, never undefined. */
function present<K extends string, T>(
  name: K,
  value: Fields | undefined,
  read: (value: Fields) => T,
): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: read(value) } as { [P in K]?: T })
}
