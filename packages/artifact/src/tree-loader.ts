import type { ArtifactTree, StoredBytes } from '@setpoint/contracts'
import type { UnpackLimits } from './container.ts'
import { decodeDelta } from './delta.ts'
import { MemoryTree } from './memory-tree.ts'
import { decodePack, type PackRef } from './pack.ts'
import { decodeSnapshot, type Snapshot } from './snapshot.ts'
import { fileContents, mergeTree } from './tree.ts'
import type { TreeFile } from './tree-file.ts'

export type StoredTree = Pick<ArtifactTree, 'snapshot' | 'delta'>

/** Where a pack is stored. */
export function storedPack({ digest, size }: PackRef): StoredBytes {
  return { digest, size, object: `pack/${digest.slice('sha256:'.length)}` }
}

const PARALLEL = 4

interface HeldSnapshot {
  digest: string
  snapshot: Snapshot
  /** Its files with their contents, which every tree that is a delta to it shares. */
  files: MemoryTree | undefined
}

interface HeldPack {
  contents: ReadonlyMap<string, Uint8Array>
  users: Set<string>
}

/** Reads whole trees and keeps what the next ones need: snapshots by their owner, packs once for all owners. */
export class TreeLoader {
  private readonly read: (stored: StoredBytes) => Promise<Uint8Array>
  private readonly limits: UnpackLimits
  private readonly snapshots = new Map<string, HeldSnapshot>()
  private readonly packs = new Map<string, HeldPack>()
  private readonly reading = new Map<string, Promise<ReadonlyMap<string, Uint8Array>>>()

  /** @param read gives bytes whose digest was checked */
  constructor(read: (stored: StoredBytes) => Promise<Uint8Array>, limits: UnpackLimits = {}) {
    this.read = read
    this.limits = limits
  }

  /** The files of a tree. key: whose tree it is. @throws ArtifactError, and what `read` throws */
  async load(key: string, stored: StoredTree): Promise<MemoryTree> {
    const held = await this.snapshot(key, stored.snapshot)
    const { snapshot } = held
    const delta =
      stored.delta === undefined ? undefined : decodeDelta(await this.read(stored.delta), this.limits)
    const tree = mergeTree(snapshot, delta, this.limits.maxBytes)
    await this.hold(key, tree.packs)
    const contentsOf = (file: TreeFile) =>
      fileContents(tree, file, ({ digest }) => this.packs.get(digest)?.contents)
    held.files ??= new MemoryTree(snapshot.files.values().map(contentsOf))
    return tree.changes.size === 0 ? held.files : held.files.after(tree.changes, contentsOf)
  }

  forget(key: string): void {
    this.snapshots.delete(key)
    this.release(key, new Set())
  }

  private async snapshot(key: string, stored: StoredBytes): Promise<HeldSnapshot> {
    const before = this.snapshots.get(key)
    if (before?.digest === stored.digest) return before
    const snapshot = decodeSnapshot(await this.read(stored), this.limits)
    const held = { digest: stored.digest, snapshot, files: undefined }
    this.snapshots.set(key, held)
    return held
  }

  /** Several packs are read at once; those that the key does not need any more are dropped. */
  private async hold(key: string, packs: readonly PackRef[]): Promise<void> {
    const waiting = packs.values()
    const work = async () => {
      for (const pack of waiting) await this.holdPack(key, pack)
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
    this.release(key, new Set(packs.map(({ digest }) => digest)))
  }

  private async holdPack(key: string, pack: PackRef): Promise<void> {
    const { digest } = pack
    const held = this.packs.get(digest) ?? { contents: await this.readPack(pack), users: new Set() }
    const current = this.packs.get(digest) ?? held
    current.users.add(key)
    this.packs.set(digest, current)
  }

  private readPack(pack: PackRef): Promise<ReadonlyMap<string, Uint8Array>> {
    const { digest } = pack
    const reading =
      this.reading.get(digest) ??
      this.read(storedPack(pack))
        .then((bytes) => decodePack(bytes, this.limits))
        .finally(() => this.reading.delete(digest))
    this.reading.set(digest, reading)
    return reading
  }

  private release(key: string, needed: ReadonlySet<string>): void {
    for (const [digest, { users }] of this.packs)
      if (!needed.has(digest) && users.delete(key) && users.size === 0) this.packs.delete(digest)
  }
}
