import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { isMissing } from '../disk.ts'

export interface Retention {
  /** Age at which an archive that is not among the newest is deleted. */
  ttlMs: number
  /** How many are kept at least. */
  records: number
}

/** What was written. */
export interface Written {
  /** `sha256:<hex>` of the bytes. */
  digest: string
  /** Bytes. */
  size: number
}

/** The .tar.gz files on disk, by their path `<kind>/<namespace>/<name>/<file>`. They can all be made again. */
export class ArchiveStore {
  readonly root: string
  /** `host:port` that URLs name. */
  advertised: string
  private readonly retention: Retention

  constructor(root: string, advertised: string, retention: Retention) {
    this.root = root
    this.advertised = advertised
    this.retention = retention
  }

  /** Where consumers get a file. */
  urlOf(path: string): string {
    return `http://${this.advertised}/${path}`
  }

  /**
   * Writes a file as it comes, unless it turns out to be another one than was expected.
   * @param expected the digest that it is to have
   */
  async write(path: string, chunks: AsyncIterable<Uint8Array>, expected?: string): Promise<Written> {
    const file = join(this.root, path)
    const beside = `${file}.${crypto.randomUUID()}.new`
    await mkdir(dirname(file), { recursive: true })
    try {
      const written = await writeAll(beside, chunks)
      if (expected === undefined || written.digest === expected) await rename(beside, file)
      return written
    } finally {
      await rm(beside, { force: true })
    }
  }

  /** The bytes of a file, or undefined when it is gone. */
  async read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.root, path))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** True when the file is there and its bytes have the digest `sha256:<hex>`. */
  async verify(path: string, digest: string): Promise<'intact' | 'missing' | 'damaged'> {
    const hash = createHash('sha256')
    try {
      for await (const chunk of createReadStream(join(this.root, path))) hash.update(chunk)
    } catch (error) {
      if (isMissing(error)) return 'missing'
      throw error
    }
    return `sha256:${hash.digest('hex')}` === digest ? 'intact' : 'damaged'
  }

  /** Deletes what is neither young nor among the newest, never the current one. */
  async collect(current: string, nowMs: number): Promise<void> {
    const directory = join(this.root, dirname(current))
    const files = await this.newestFirst(directory)
    for (const [index, { path, time }] of files.entries()) {
      const isKept = index < this.retention.records || nowMs - time < this.retention.ttlMs
      if (!isKept && path !== join(this.root, current)) await rm(path, { force: true })
    }
  }

  /** Deletes every archive of one object. */
  async remove(directory: string): Promise<void> {
    await rm(join(this.root, directory), { recursive: true, force: true })
  }

  private async newestFirst(directory: string): Promise<{ path: string; time: number }[]> {
    const names = await readdir(directory).catch(() => [])
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(directory, name)
        return { path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 }
      }),
    )
    return files.sort((a, b) => b.time - a.time)
  }
}

/** Bytes that are hashed and written at once. An archive comes in hundreds of small pieces, each of which would cost a call. */
const WRITE_BYTES = 256 * 1024

async function writeAll(file: string, chunks: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = createHash('sha256')
  let size = 0
  async function* counted(): AsyncIterable<Uint8Array> {
    for await (const chunk of gathered(chunks)) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await pipeline(counted, createWriteStream(file))
  return { digest: `sha256:${hash.digest('hex')}`, size }
}

async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    bytes += chunk.length
    if (bytes < WRITE_BYTES) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}
