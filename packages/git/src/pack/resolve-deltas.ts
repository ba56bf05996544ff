import { applyDelta } from './delta.ts'
import { MAX_ENTRY_HEADER_BYTES, readEntryHeader } from './entry.ts'
import { type ObjectType, objectId } from './git-object.ts'
import { inflate } from './inflate.ts'
import { checkDepth, DamagedPack, type PackLimits, tooLarge } from './limits.ts'
import type { PackFile } from './pack-file.ts'
import type { PackTable } from './pack-table.ts'
import type { Turns } from './turns.ts'
import type { Walked } from './walk-pack.ts'

/** Bytes of bases that are held while their deltas are made; what is dropped is made again when it is needed. */
const MAX_HELD_BYTES = 32 * 1024 * 1024

const NOTHING = Buffer.alloc(0)

/** An object whose deltas are being made. */
interface Base {
  index: number
  type: ObjectType
  /** How many deltas lie below it. */
  depth: number
  data: Buffer | undefined
}

/**
 * Makes the objects that are deltas, to name them. It goes from a whole object to its deltas and to theirs, so that a
 * base is at hand when it is needed, and forgotten after its last delta.
 */
export class DeltaResolver {
  private readonly file: PackFile
  private readonly table: PackTable
  private readonly waiting: Map<string, number[]>
  private readonly limits: PackLimits
  private readonly turns: Turns
  private readonly deltas: DeltaLists
  /** From a whole object down to the one whose deltas are made now. */
  private readonly bases: Base[] = []
  private heldBytes = 0
  private remadeBytes = 0

  constructor(file: PackFile, { table, waiting }: Walked, limits: PackLimits, turns: Turns) {
    this.file = file
    this.table = table
    this.waiting = waiting
    this.limits = limits
    this.turns = turns
    // As many objects at most join a pack that lacks bases.
    this.deltas = new DeltaLists(table.count + waiting.size)
  }

  /** Afterwards, only deltas wait whose base is not in the pack. @throws DamagedPack, GitError TooLarge */
  async resolveAll(): Promise<void> {
    const { count } = this.table
    for (let index = 0; index < count; index += 1) {
      const base = this.table.base(index)
      if (base !== undefined) this.deltas.add(base, index)
    }
    for (let index = 0; index < count; index += 1) {
      if (this.turns.isOver) await this.turns.next()
      if (!this.table.isDelta(index)) await this.resolveFrom(index)
    }
  }

  /** Makes everything that a whole object is the base of. @throws DamagedPack, GitError TooLarge */
  async resolveFrom(root: number): Promise<void> {
    this.adoptWaiting(root)
    if (!this.deltas.has(root)) return
    const { type = 'blob' } = await this.headerAt(root)
    this.push({ index: root, type, depth: 0, data: undefined })
    for (let base = this.bases.at(-1); base !== undefined; base = this.bases.at(-1)) {
      if (this.turns.isOver) await this.turns.next()
      await this.resolveNext(base)
    }
  }

  private async resolveNext(base: Base): Promise<void> {
    const index = this.deltas.take(base.index)
    checkDepth(base.depth + 1, this.limits)
    const from = base.data ?? (await this.make(base.index))
    if (!this.deltas.has(base.index)) this.pop()
    const data = applyDelta(from, await this.dataAt(index))
    this.table.setOid(index, objectId(base.type, data))
    this.adoptWaiting(index)
    if (this.deltas.has(index)) this.push({ index, type: base.type, depth: base.depth + 1, data })
  }

  /** Deltas that waited for an object of this name are its deltas. */
  private adoptWaiting(index: number): void {
    if (this.waiting.size === 0) return
    const oid = this.table.oid(index).toString('hex')
    for (const delta of this.waiting.get(oid) ?? []) {
      this.table.setBase(delta, index)
      this.deltas.add(index, delta)
    }
    this.waiting.delete(oid)
  }

  private push(base: Base): void {
    this.bases.push(base)
    if (base.data !== undefined) this.hold(base, base.data)
  }

  private pop(): void {
    this.heldBytes -= this.bases.pop()?.data?.length ?? 0
  }

  /** Keeps the data of a base; those that are needed last make room. */
  private hold(base: Base, data: Buffer): void {
    base.data = data
    this.heldBytes += data.length
    for (const other of this.bases) {
      if (this.heldBytes <= MAX_HELD_BYTES || other === base) return
      this.heldBytes -= other.data?.length ?? 0
      other.data = undefined
    }
  }

  /** Makes an object of the nearest one that is held, or of the whole one below it, and holds the bases on the way. */
  private async make(index: number): Promise<Buffer> {
    const bases = new Map(this.bases.map((base) => [base.index, base]))
    const chain = [index]
    for (let at = index; bases.get(at)?.data === undefined; ) {
      const base = this.table.base(at)
      if (base === undefined) break
      chain.push(base)
      at = base
    }
    let data: Buffer | undefined
    for (const at of chain.reverse()) {
      if (this.turns.isOver) await this.turns.next()
      const base = bases.get(at)
      data = base?.data ?? (await this.madeOf(data, at))
      if (base !== undefined && base.data === undefined) this.hold(base, data)
    }
    return data ?? NOTHING
  }

  private async madeOf(base: Buffer | undefined, index: number): Promise<Buffer> {
    const data = await this.dataAt(index)
    const made = base === undefined ? data : applyDelta(base, data)
    this.remadeBytes += made.length
    if (this.remadeBytes > this.limits.maxUnpackedBytes)
      throw tooLarge('its deltas go back and forth so much that they take too long')
    return made
  }

  private async dataAt(index: number): Promise<Buffer> {
    const { size, length } = await this.headerAt(index)
    return inflate(this.file, this.table.offset(index) + length, size)
  }

  private async headerAt(index: number) {
    return readEntryHeader(await this.file.from(this.table.offset(index), MAX_ENTRY_HEADER_BYTES))
  }
}

/** For each object, the deltas on it: linked lists in two arrays, for a pack may have millions. */
class DeltaLists {
  private readonly first: Int32Array
  private readonly next: Int32Array

  constructor(objects: number) {
    this.first = new Int32Array(objects).fill(-1)
    this.next = new Int32Array(objects).fill(-1)
  }

  has(base: number): boolean {
    return (this.first[base] ?? -1) !== -1
  }

  add(base: number, delta: number): void {
    this.next[delta] = this.first[base] ?? -1
    this.first[base] = delta
  }

  /** Removes the first delta on a base that has one. */
  take(base: number): number {
    const delta = this.first[base] ?? -1
    if (delta === -1) throw new DamagedPack('a delta is missing')
    this.first[base] = this.next[delta] ?? -1
    return delta
  }
}
