import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { promisify } from 'node:util'
import { createGzip, gzip } from 'node:zlib'
import type { ArchiveMembers } from './archive-members.ts'
import type { ArchiveOutline, Member } from './archive-outline.ts'
import { tarEntry, tarTrailer } from './tar-entry.ts'
import type { TreeFile } from './tree-file.ts'

/** A member with more than this is sent as it is compressed, and not remembered. */
const MAX_HELD_BYTES = 1024 * 1024
const LEVEL = 6

type Read = (file: TreeFile) => Promise<Uint8Array> | Uint8Array

/**
 * Packs a tree as Flux does: in the order of a lexical walk with an entry for each directory, without symlinks,
 * without owners and times, modes 0750, 0600 and 0700. The same tree gives the same bytes: one gzip member after the
 * other, of which those that were compressed before are not compressed again. Holds no more in memory than one member
 * or content at a time.
 * @param read the content of a file; asked in the order of the archive
 * @param members those that were compressed before
 */
export async function* writeTarGz(
  outline: ArchiveOutline,
  read: Read,
  members?: ArchiveMembers,
): AsyncIterable<Uint8Array> {
  for (const member of outline.members) {
    const known = members?.find(member.name)
    if (known !== undefined) yield known
    else if (member.bytes > MAX_HELD_BYTES) yield* streamed(partsOf(member, read))
    else {
      const compressed = await compress(await joined(partsOf(member, read)), { level: LEVEL })
      members?.keep(member.name, compressed)
      yield compressed
    }
  }
  yield await compress(tarTrailer(), { level: LEVEL })
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function* partsOf({ entries }: Member, read: Read): AsyncIterable<Uint8Array> {
  for (const { directories, file } of entries) {
    for (const path of directories) yield* tarEntry({ path: `${path}/`, type: 'directory', mode: 0o750 })
    const mode = file.mode === '100755' ? 0o700 : 0o600
    yield* tarEntry({ path: file.path, type: 'file', mode, content: await read(file) })
  }
}

async function joined(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}

/** An error of the parts comes out of the stream. */
function streamed(parts: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  const compressor = createGzip({ level: LEVEL })
  pipeline(Readable.from(parts), compressor, () => {})
  return compressor
}

const compress = promisify<Uint8Array, { level: number }, Buffer>(gzip)
