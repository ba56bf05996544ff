import type { ParsedFile } from './file.ts'

/** Keeps parsed files from one build to the next, by the id of their content. */
export interface ParseCache {
  get(key: string): ParsedFile | undefined
  set(key: string, file: ParsedFile, bytes: number): void
  /** Bytes of source text whose parse is held. */
  readonly size: number
}

const defaultMaxBytes = 64 * 1024 * 1024

/** A cache bounded by the size of the source texts; the one that was not used for the longest time goes first. */
export function createParseCache(options: { maxBytes?: number } = {}): ParseCache {
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  const entries = new Map<string, { file: ParsedFile; bytes: number }>()
  let size = 0
  const remove = (key: string) => {
    size -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }
  return {
    get size() {
      return size
    },
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.file
    },
    set(key, file, bytes) {
      remove(key)
      if (bytes > maxBytes) return
      entries.set(key, { file, bytes })
      size += bytes
      for (const oldest of entries.keys()) {
        if (size <= maxBytes) break
        remove(oldest)
      }
    },
  }
}
