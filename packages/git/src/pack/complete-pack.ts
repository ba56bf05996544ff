import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { PACK_HEADER_BYTES, packedEntry, writePackHeader } from './entry.ts'
import { type GitObject, objectId } from './git-object.ts'
import type { PackFile } from './pack-file.ts'
import type { PackTable } from './pack-table.ts'
import type { Turns } from './turns.ts'

/** Adds objects to the end of a pack, for a pack on disk must hold the bases of all its deltas. */
export class PackCompletion implements AsyncDisposable {
  private readonly file: PackFile
  private readonly table: PackTable
  private readonly handle: FileHandle

  private constructor(file: PackFile, table: PackTable, handle: FileHandle) {
    this.file = file
    this.table = table
    this.handle = handle
  }

  static async open(file: PackFile, table: PackTable): Promise<PackCompletion> {
    return new PackCompletion(file, table, await open(file.path, 'r+'))
  }

  /** Returns the index of the object. */
  async add({ type, data }: GitObject): Promise<number> {
    const entry = await packedEntry(type, data)
    await this.handle.write(entry, 0, entry.length, this.file.end)
    const index = this.table.add(this.file.end)
    this.table.setOid(index, objectId(type, data))
    this.table.setChecksum(index, crc32(entry))
    this.file.end += entry.length
    return index
  }

  /** Says in the pack how many objects it has now. Returns its new hash. */
  async finish(turns: Turns): Promise<Buffer> {
    const header = writePackHeader(this.table.count)
    await this.handle.write(header, 0, header.length, 0)
    const hash = createHash('sha1').update(header)
    for await (const piece of this.file.pieces(PACK_HEADER_BYTES)) {
      if (turns.isOver) await turns.next()
      hash.update(piece)
    }
    const digest = hash.digest()
    await this.handle.write(digest, 0, digest.length, this.file.end)
    return digest
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close()
  }
}
