import { createHash } from 'node:crypto'

/** Two at a time, so that every listing has pages. */
const PAGE = 2

/** The objects of one kind of store, by `bucket/key`. */
export class ObjectStore {
  private readonly objects = new Map<string, { content: string; generation: number }>()
  private generation = 0

  put(bucket: string, key: string, content: string): void {
    this.generation += 1
    this.objects.set(`${bucket}/${key}`, { content, generation: this.generation })
  }

  get(bucket: string, key: string) {
    const found = this.objects.get(`${bucket}/${key}`)
    return found && { key, ...found, etag: etagOf(found.content) }
  }

  /** Undefined for a bucket without objects. next: the key that the next page begins with. */
  page(bucket: string, prefix: string, from: string) {
    const keys = [...this.objects.keys()]
      .filter((path) => path.startsWith(`${bucket}/`))
      .map((path) => path.slice(bucket.length + 1))
      .sort()
    if (keys.length === 0) return undefined
    const rest = keys.filter((key) => key.startsWith(prefix) && key >= from)
    const found = rest.slice(0, PAGE).flatMap((key) => this.get(bucket, key) ?? [])
    return { found, next: rest[PAGE] }
  }
}

const etagOf = (content: string): string =>
  `0x${createHash('md5').update(content).digest('hex').slice(0, 15)}`
