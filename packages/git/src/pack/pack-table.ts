import { HASH_BYTES } from './entry.ts'

/** Instead of a base: of an object that is whole, and of a delta whose base is not found yet. */
const NONE = -1
const UNKNOWN = -2
const FIRST_CAPACITY = 1024

/** What is known of the objects of a pack, in the order in which they lie there: some 40 bytes for each. */
export class PackTable {
  count = 0
  private capacity = FIRST_CAPACITY
  private offsets = new Float64Array(FIRST_CAPACITY)
  private checksums = new Uint32Array(FIRST_CAPACITY)
  private oids = Buffer.alloc(FIRST_CAPACITY * HASH_BYTES)
  private bases = new Int32Array(FIRST_CAPACITY)

  /** Adds the next object and returns its index. */
  add(offset: number): number {
    if (this.count === this.capacity) this.grow()
    const index = this.count
    this.count += 1
    this.offsets[index] = offset
    this.bases[index] = NONE
    return index
  }

  offset(index: number): number {
    return this.offsets[index] ?? 0
  }

  /** The CRC-32 of the object as it lies in the pack. */
  checksum(index: number): number {
    return this.checksums[index] ?? 0
  }

  oid(index: number): Buffer {
    return this.oids.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
  }

  isDelta(index: number): boolean {
    return this.bases[index] !== NONE
  }

  /** The index of the base of a delta; undefined for an object that is whole, and while it is not known. */
  base(index: number): number | undefined {
    const base = this.bases[index] ?? NONE
    return base < 0 ? undefined : base
  }

  setChecksum(index: number, checksum: number): void {
    this.checksums[index] = checksum
  }

  setOid(index: number, oid: Buffer): void {
    oid.copy(this.oids, index * HASH_BYTES)
  }

  setBase(index: number, base: number | undefined): void {
    this.bases[index] = base ?? UNKNOWN
  }

  /** The object that starts at an offset. */
  indexAt(offset: number): number | undefined {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.offset(middle) < offset) low = middle + 1
      else high = middle
    }
    return low < this.count && this.offset(low) === offset ? low : undefined
  }

  private grow(): void {
    this.capacity *= 2
    this.offsets = grown(this.offsets, new Float64Array(this.capacity))
    this.checksums = grown(this.checksums, new Uint32Array(this.capacity))
    this.bases = grown(this.bases, new Int32Array(this.capacity))
    this.oids = grown(this.oids, Buffer.alloc(this.capacity * HASH_BYTES))
  }
}

function grown<A extends Float64Array | Uint32Array | Int32Array | Buffer>(from: A, to: A): A {
  to.set(from)
  return to
}
