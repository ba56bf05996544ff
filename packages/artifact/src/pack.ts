import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { FileContents, FileMode, TreeFile } from './tree.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Bounds on what a pack may hold once it is unpacked. */
export interface PackLimits {
  maxBytes: number
  maxFiles: number
}

export const defaultPackLimits: PackLimits = { maxBytes: 512 * 1024 * 1024, maxFiles: 500_000 }

/** A snapshot or delta is not what it should be: cut off, of another version, or beyond the limits. */
export class PackError extends Error {
  override name = 'PackError'
}

const VERSION = 1
const HEADER_BYTES = 8

interface Index {
  files: { path: string; blobId: string; mode: FileMode; size: number }[]
  /** Paths that a delta takes away. */
  removed?: string[]
}

/** Every file of a tree in one piece of bytes (zstd). */
export async function encodeSnapshot(files: Iterable<FileContents>): Promise<Uint8Array> {
  return encode([...files], undefined)
}

/**
 * Reads a snapshot back, by path. The contents share one buffer.
 * @throws PackError when it is damaged or larger than the limits.
 */
export async function decodeSnapshot(
  bytes: Uint8Array,
  limits = defaultPackLimits,
): Promise<Map<string, FileContents>> {
  const { files } = await decode(bytes, limits)
  return new Map(files.map((file) => [file.path, file]))
}

/** What turns one tree into another: changed files with their bytes, and the paths that went away. */
export async function encodeDelta(
  base: ReadonlyMap<string, TreeFile>,
  next: ReadonlyMap<string, TreeFile>,
  read: (file: TreeFile) => Uint8Array | Promise<Uint8Array>,
): Promise<Uint8Array> {
  const changed: FileContents[] = []
  for (const file of next.values()) {
    const old = base.get(file.path)
    if (old?.blobId === file.blobId && old.mode === file.mode) continue
    changed.push({ ...file, content: await read(file) })
  }
  return encode(
    changed,
    [...base.keys()].filter((path) => !next.has(path)),
  )
}

/**
 * The tree that a delta makes of its base. The base is not changed.
 * @throws PackError when the delta is damaged or larger than the limits.
 */
export async function applyDelta(
  base: ReadonlyMap<string, FileContents>,
  bytes: Uint8Array,
  limits = defaultPackLimits,
): Promise<Map<string, FileContents>> {
  const { files, removed } = await decode(bytes, limits)
  const tree = new Map(base)
  for (const path of removed) tree.delete(path)
  for (const file of files) tree.set(file.path, file)
  return tree
}

/** Layout before compression: u32 version, u32 index length, index (JSON), contents one after the other. */
async function encode(files: FileContents[], removed: string[] | undefined): Promise<Uint8Array> {
  const index: Index = {
    files: files.map(({ path, blobId, mode, content }) => ({ path, blobId, mode, size: content.length })),
    ...(removed === undefined ? {} : { removed }),
  }
  const text = Buffer.from(JSON.stringify(index))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(VERSION, 0)
  header.writeUInt32BE(text.length, 4)
  const plain = Buffer.concat([header, text, ...files.map(({ content }) => content)])
  return compress(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
}

async function decode(
  bytes: Uint8Array,
  limits: PackLimits,
): Promise<{ files: FileContents[]; removed: string[] }> {
  const plain = await unpack(bytes, limits)
  if (plain.length < HEADER_BYTES || plain.readUInt32BE(0) !== VERSION)
    throw new PackError('unknown form of a file tree')
  const contentStart = HEADER_BYTES + plain.readUInt32BE(4)
  if (contentStart > plain.length) throw new PackError('a file tree is cut off')
  const index = readIndex(plain.subarray(HEADER_BYTES, contentStart))
  if (index.files.length > limits.maxFiles)
    throw new PackError(`a file tree has more than ${limits.maxFiles} files`)
  let offset = contentStart
  const files = index.files.map((file) => {
    const content = plain.subarray(offset, offset + file.size)
    offset += file.size
    return { ...file, content }
  })
  if (offset !== plain.length) throw new PackError('a file tree does not match its index')
  return { files, removed: index.removed ?? [] }
}

async function unpack(bytes: Uint8Array, limits: PackLimits): Promise<Buffer> {
  try {
    return await decompress(bytes, { maxOutputLength: limits.maxBytes })
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'
    throw new PackError(
      tooLarge ? `a file tree is larger than ${limits.maxBytes} bytes` : 'a file tree is damaged',
      { cause },
    )
  }
}

function readIndex(text: Buffer): Index {
  try {
    return JSON.parse(text.toString('utf8')) as Index
  } catch (cause) {
    throw new PackError('the index of a file tree is damaged', { cause })
  }
}
