import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  decodeDelta,
  decodeSnapshot,
  digestOf,
  mergeTree,
  type Snapshot,
  type Tree,
} from '@setpoint/artifact'
import { BusError } from '@setpoint/bus'
import { type ArtifactTree, artifactMessage, type StoredBytes } from '@setpoint/contracts'
import type { SourceContext, Task } from '../context.ts'
import type { Blob, Known } from '../known.ts'
import { subjectOf } from '../message.ts'
import type { SourceState } from '../state.ts'
import { ARTIFACT_BUCKET } from './bucket.ts'

const MAX_LISTING_BYTES = 512 * 1024 * 1024

/** Brings back what was known before a restart: from disk, or when another replica had it, from the bus. */
export async function recall(context: SourceContext, task: Task): Promise<void> {
  const { known } = task
  if (known.stateRead) return
  const state = await context.states.load(known.uid)
  if (state === undefined || !(await recallFromDisk(context, known, state)))
    await recallFromBus(context, task)
  known.stateRead = true
}

/** After this, the next run fetches everything and cuts a new snapshot. */
export function forgetBase(known: Known): void {
  known.base = undefined
  known.state = undefined
  known.fresh = new Map()
  known.listed = undefined
  known.outline = undefined
  known.blobs = new Map()
}

async function recallFromDisk(context: SourceContext, known: Known, state: SourceState): Promise<boolean> {
  try {
    const bytes = await context.states.loadBytes(known.uid, 'snapshot')
    const { snapshot: stored } = state.tree
    if (bytes === undefined || digestOf(bytes) !== stored.digest) return false
    known.base = { stored, snapshot: decodeSnapshot(bytes, { maxBytes: MAX_LISTING_BYTES }) }
    const delta = inlineDelta(state.tree)
    known.fresh = delta?.carried ?? new Map()
    known.blobs = readBlobs(await context.states.loadBytes(known.uid, 'blobs'))
    known.state = state
    context.packs.learn(known.base.snapshot.packOf)
    if (delta !== undefined) context.packs.learn(delta.packOf)
    return true
  } catch (error) {
    context.log.warn(
      { reason: String(error) },
      'what was kept of a source cannot be read; it is fetched again',
    )
    forgetBase(known)
    return false
  }
}

/** What is stored already need not be stored again: another replica had this source, or our disk was lost. */
async function recallFromBus(context: SourceContext, task: Task): Promise<void> {
  const { known } = task
  const last = (await context.bus.last(artifactMessage, subjectOf(context, task.object)))?.data
  if (last?.tree === undefined || last.uid !== known.uid) return
  try {
    const { snapshot: stored } = last.tree
    const snapshot = await readSnapshot(context, stored)
    if (snapshot.carried.size > 0) return
    known.base = { stored, snapshot }
    context.packs.learn(snapshot.packOf)
    const delta = inlineDelta(last.tree)
    if (delta !== undefined) context.packs.learn(delta.packOf)
  } catch (error) {
    context.log.warn(
      { reason: String(error) },
      'what is stored of a source cannot be read; it is stored anew',
    )
    forgetBase(known)
  }
}

/** A tree of which only the name is known. @throws BusError, ArtifactError */
export async function openTree(context: SourceContext, tree: ArtifactTree): Promise<Tree> {
  const snapshot = await readSnapshot(context, tree.snapshot)
  const bytes = tree.delta && (await context.bus.bytes.get(ARTIFACT_BUCKET, tree.delta))
  const maxBytes = 2 * context.limits.artifactBytes
  return mergeTree(snapshot, bytes && decodeDelta(bytes, { maxBytes }), maxBytes)
}

/** The tree of the known state. undefined when it is not known */
export function knownTree({ base, state }: Pick<Known, 'base' | 'state'>): Tree | undefined {
  return base && state && mergeTree(base.snapshot, inlineDelta(state.tree))
}

/** What the origin calls its contents, for the next start. */
export function encodeBlobs(blobs: ReadonlyMap<string, Blob>): Uint8Array {
  const listed = [...blobs].map(([oid, { blobId, size }]) => [oid, blobId, size])
  return zstdCompressSync(Buffer.from(JSON.stringify(listed)))
}

function readBlobs(bytes: Uint8Array | undefined): Map<string, Blob> {
  if (bytes === undefined) return new Map()
  const json = zstdDecompressSync(bytes, { maxOutputLength: MAX_LISTING_BYTES }).toString('utf8')
  const listed = JSON.parse(json) as [oid: string, blobId: string, size: number][]
  return new Map(listed.map(([oid, blobId, size]) => [oid, { blobId, size }]))
}

async function readSnapshot(context: SourceContext, stored: StoredBytes): Promise<Snapshot> {
  const bytes = await context.bus.bytes.get(ARTIFACT_BUCKET, stored)
  return decodeSnapshot(bytes, { maxBytes: 2 * context.limits.artifactBytes + MAX_LISTING_BYTES })
}

function inlineDelta({ delta }: ArtifactTree) {
  return delta?.inline === undefined ? undefined : decodeDelta(Buffer.from(delta.inline, 'base64'))
}

/** True for an error that says that stored bytes are gone. */
export function isGone(error: unknown): boolean {
  return error instanceof BusError && error.code === 'NotFound'
}
