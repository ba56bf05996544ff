import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { JetStreamManager } from '@nats-io/jetstream'
import type { ObjectStore } from '@nats-io/obj'
import type { StoredBytes } from '@setpoint/contracts'
import { BusError } from './errors.ts'
import { readObject } from './read-object.ts'
import { type BusStats, count } from './stats.ts'
import type { Bucket } from './streams.ts'

const MAX_OBJECT_BYTES = 512 * 1024 * 1024

export interface PutOptions {
  /** What a listing tells of the object. */
  labels?: Record<string, string>
  /** Bytes that were stored earlier are stored again: milliseconds since the epoch. */
  storedSince?: number
}

/** One object of a bucket. */
export interface StoredObject {
  name: string
  /** Milliseconds since the epoch, by the clock of who stored it. */
  storedAt: number
  /** What it was stored with, and its digest. */
  labels: Record<string, string>
}

export interface ByteStoreOptions {
  /** @throws BusError while it has not been made */
  bucket(name: Bucket): ObjectStore
  manager(): Promise<JetStreamManager>
  /** Does something to NATS. @throws BusError when that fails */
  guard<T>(what: string, action: () => Promise<T>): Promise<T>
  beforeWrite(): void
  stats: BusStats
}

/** Bytes by name, which messages are too small for. Every method throws BusError when NATS is away or refuses it. */
export class ByteStore {
  private readonly options: ByteStoreOptions

  constructor(options: ByteStoreOptions) {
    this.options = options
  }

  /** Stores bytes under a name; the same bytes under the same name are not sent again. */
  async put(
    bucket: Bucket,
    name: string,
    bytes: Uint8Array,
    { labels = {}, storedSince = 0 }: PutOptions = {},
  ): Promise<StoredBytes> {
    const { options } = this
    const stored = { digest: sha256(bytes), size: bytes.length, object: name }
    const store = options.bucket(bucket)
    const metadata = { ...labels, digest: stored.digest }
    await options.guard(`store ${bucket}/${name}`, async () => {
      const existing = await store.info(name)
      const isThere = existing !== null && !existing.deleted && Date.parse(existing.mtime) >= storedSince
      if (isThere && isDeepStrictEqual(existing.metadata, metadata)) return
      options.beforeWrite()
      await store.putBlob({ name, metadata }, bytes)
      count(options.stats.published, bucket, bytes.length)
    })
    return stored
  }

  /**
   * Reads stored bytes back and checks their digest.
   * @throws BusError with code `NotFound` when they are gone (the producer will send a newer message), `Damaged` when the digest differs.
   */
  async get(bucket: Bucket, stored: StoredBytes): Promise<Uint8Array> {
    const bytes =
      stored.inline === undefined ? await this.read(bucket, stored) : Buffer.from(stored.inline, 'base64')
    if (sha256(bytes) !== stored.digest)
      throw new BusError(
        'Damaged',
        `stored bytes ${bucket}/${stored.object ?? 'inline'} do not match their digest`,
      )
    return bytes
  }

  /** What is stored under a name, or undefined. */
  async find(bucket: Bucket, name: string): Promise<StoredBytes | undefined> {
    const { options } = this
    const info = await options.guard(`look up ${bucket}/${name}`, () => options.bucket(bucket).info(name))
    const digest = info?.metadata?.digest
    if (info === null || info.deleted || digest === undefined) return undefined
    return { digest, size: info.size, object: name }
  }

  /**
   * Removes an object; one that is gone already is no error.
   * @param storedUntil one that was stored later stays: milliseconds since the epoch
   */
  async delete(bucket: Bucket, name: string, storedUntil = Number.POSITIVE_INFINITY): Promise<void> {
    const { options } = this
    await options.guard(`delete ${bucket}/${name}`, async () => {
      const found = await options.bucket(bucket).info(name)
      options.beforeWrite()
      if (found !== null && Date.parse(found.mtime) <= storedUntil) await options.bucket(bucket).delete(name)
    })
  }

  /** The names that are not deleted. */
  async names(bucket: Bucket): Promise<string[]> {
    return (await this.list(bucket)).map(({ name }) => name)
  }

  /** What is stored, as it was at one moment. */
  async list(bucket: Bucket): Promise<StoredObject[]> {
    const { options } = this
    const infos = await options.guard(`list ${bucket}`, () => options.bucket(bucket).list())
    return infos
      .filter((info) => !info.deleted)
      .map(({ name, mtime, metadata = {} }) => ({ name, storedAt: Date.parse(mtime), labels: metadata }))
  }

  private async read(bucket: Bucket, stored: StoredBytes): Promise<Uint8Array> {
    const { options } = this
    const name = stored.object ?? ''
    if (stored.size > MAX_OBJECT_BYTES)
      throw new BusError(
        'TooLarge',
        `stored bytes ${bucket}/${name} have ${stored.size} bytes, more than ${MAX_OBJECT_BYTES}`,
      )
    const bytes = await options.guard(`read ${bucket}/${name}`, async () =>
      readObject(await options.manager(), options.bucket(bucket), bucket, name),
    )
    if (bytes === null) throw new BusError('NotFound', `stored bytes ${bucket}/${name} are gone`)
    count(options.stats.received, bucket, bytes.length)
    return bytes
  }
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
