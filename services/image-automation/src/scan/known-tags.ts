/** What the last scan of one ImageRepository found. */
export interface ScanResult {
  uid: string
  tags: readonly string[]
  /** Checksum of the set of tags. */
  revision: string
  /** When, in ms since the epoch. */
  time: number
}

/** The tags of every ImageRepository, by key. Registries have them too: a restart scans again. */
export class KnownTags {
  private readonly results = new Map<string, ScanResult>()

  get(key: string): ScanResult | undefined {
    return this.results.get(key)
  }

  set(key: string, result: ScanResult): void {
    this.results.set(key, result)
  }

  forget(key: string): void {
    this.results.delete(key)
  }
}
