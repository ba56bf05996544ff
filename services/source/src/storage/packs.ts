import {
  type Blobs,
  decodePack,
  digestOf,
  encodePack,
  fileContents,
  type PackRef,
  storedPack,
  type Tree,
  type TreeFile,
} from '@setpoint/artifact'
import { type Bus, BusError } from '@setpoint/bus'
import { BaseLost } from './base-lost.ts'
import { ARTIFACT_BUCKET } from './bucket.ts'
import type { PackFiles } from './pack-files.ts'

/** Contents that are held unpacked, so that one who reads file by file unpacks each pack once. */
const MAX_HELD_BYTES = 32 * 1024 * 1024
const PARALLEL = 8

export interface PackOptions {
  files: PackFiles
  bus: Bus
  /** Bytes of the contents of one pack. */
  maxBytes: number
  /** How long a stored pack that nothing names is safe from being swept up. */
  maxAgeMs: number
  /** Milliseconds since the epoch. */
  now(): number
}

/**
 * The contents of all artifacts, each stored once, however many revisions and sources hold it. They are in packs, on the
 * bus for everybody and on our disk for ourselves. What is in which pack is known for the artifacts that are ours.
 */
export class Packs {
  private readonly files: PackFiles
  private readonly bus: Bus
  private readonly maxBytes: number
  private readonly index = new Map<string, PackRef>()
  private readonly held = new Map<string, Blobs>()
  /** Contents that are on their way into a pack. */
  private readonly adding = new Map<string, Promise<void>>()
  private readonly storedAt = new Map<string, number>()
  private readonly now: () => number
  private readonly maxAgeMs: number

  constructor({ files, bus, maxBytes, maxAgeMs, now }: PackOptions) {
    this.files = files
    this.bus = bus
    this.maxBytes = maxBytes
    this.now = now
    this.maxAgeMs = maxAgeMs
  }

  /** The pack that holds a content. */
  find(blobId: string): PackRef | undefined {
    return this.index.get(blobId)
  }

  /** Takes note of what the packs of a stored tree hold. */
  learn(packOf: ReadonlyMap<string, PackRef>): void {
    for (const [blobId, pack] of packOf) if (!this.index.has(blobId)) this.index.set(blobId, pack)
  }

  /**
   * Stores contents as one pack, but for those that are being stored at this moment: two sources of one repository
   * learn of the same commit at once.
   * @throws BusError, or a disk's error
   */
  async add(blobs: Blobs): Promise<void> {
    const running = new Set<Promise<void>>()
    const own = new Map<string, Uint8Array>()
    for (const [blobId, content] of blobs) {
      const other = this.adding.get(blobId)
      if (other === undefined) own.set(blobId, content)
      else running.add(other)
    }
    const adding = this.store(own).finally(() => {
      for (const blobId of own.keys()) this.adding.delete(blobId)
    })
    for (const blobId of own.keys()) this.adding.set(blobId, adding)
    await Promise.all([adding, ...running])
  }

  /** Puts those packs on the bus again that are not there. @throws BaseLost when one is on our disk neither */
  async assure(packs: Iterable<PackRef>): Promise<void> {
    const waiting = [...packs].values()
    const work = async () => {
      for (const pack of waiting) await this.assureOne(pack)
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
  }

  /** The content of a file of a stored tree. @throws BaseLost, BusError, ArtifactError */
  async read(tree: Tree, file: TreeFile): Promise<Uint8Array> {
    const pack = tree.packOf(file.blobId)
    const contents = pack === undefined ? undefined : await this.contents(pack)
    return fileContents(tree, file, () => contents).content
  }

  /** @throws BaseLost when it is nowhere */
  async contents(pack: PackRef): Promise<Blobs> {
    const held = this.held.get(pack.digest)
    if (held !== undefined) return held
    const bytes = (await this.files.read(pack.digest)) ?? (await this.fetch(pack))
    const contents = decodePack(bytes, { maxBytes: this.maxBytes })
    this.hold(pack.digest, contents)
    return contents
  }

  /** What is there already, from before this time, may be about to be swept up; stored anew, it is not. */
  safeSince(): number {
    return this.now() - this.maxAgeMs
  }

  /** The bus has lost what it held. */
  doubt(): void {
    this.storedAt.clear()
  }

  /** Forgets packs, so that no new tree is made of them. */
  forget(isMeant: (digest: string) => boolean): void {
    for (const [blobId, { digest }] of this.index) if (isMeant(digest)) this.index.delete(blobId)
    for (const digest of this.storedAt.keys()) if (isMeant(digest)) this.storedAt.delete(digest)
  }

  /** Deletes packs from our disk that no tree of ours needs and that were written before a time. */
  async deleteFiles(before: number): Promise<void> {
    const needed = new Set([...this.index.values()].map(({ digest }) => digest))
    await this.files.keepOnly(needed, before)
  }

  private async store(blobs: Blobs): Promise<void> {
    if (blobs.size === 0) return
    const bytes = encodePack(blobs)
    const digest = digestOf(bytes)
    let rawBytes = 0
    for (const { length } of blobs.values()) rawBytes += length
    const pack = { digest, size: bytes.length, rawBytes }
    await this.files.write(digest, bytes)
    const storedSince = this.safeSince()
    await this.bus.bytes.put(ARTIFACT_BUCKET, storedPack(pack).object ?? '', bytes, { storedSince })
    this.storedAt.set(digest, this.now())
    for (const blobId of blobs.keys()) this.index.set(blobId, pack)
  }

  private async assureOne(pack: PackRef): Promise<void> {
    if ((this.storedAt.get(pack.digest) ?? 0) > this.safeSince()) return
    const name = storedPack(pack).object ?? ''
    if ((await this.bus.bytes.find(ARTIFACT_BUCKET, name))?.digest === pack.digest) return
    const bytes = await this.files.read(pack.digest)
    if (bytes === undefined) throw this.lost(pack)
    await this.bus.bytes.put(ARTIFACT_BUCKET, name, bytes)
  }

  private async fetch(pack: PackRef): Promise<Uint8Array> {
    try {
      const bytes = await this.bus.bytes.get(ARTIFACT_BUCKET, storedPack(pack))
      await this.files.write(pack.digest, bytes)
      return bytes
    } catch (error) {
      if (error instanceof BusError && error.code === 'NotFound') throw this.lost(pack)
      throw error
    }
  }

  private lost({ digest }: PackRef): BaseLost {
    this.forget((other) => other === digest)
    return new BaseLost(`the pack ${digest} is missing or damaged`)
  }

  private hold(digest: string, contents: Blobs): void {
    this.held.set(digest, contents)
    let bytes = 0
    for (const [other, blobs] of [...this.held].reverse()) {
      for (const { length } of blobs.values()) bytes += length
      if (bytes > MAX_HELD_BYTES && other !== digest) this.held.delete(other)
    }
  }
}
