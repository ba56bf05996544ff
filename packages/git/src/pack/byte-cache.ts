/** Buffers by their keys, with a bound on all their bytes: what was not asked for longest makes room. */
export class ByteCache<Key, Value extends { data: Buffer }> {
  private readonly maxBytes: number
  private readonly values = new Map<Key, Value>()
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get(key: Key): Value | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    this.values.delete(key)
    this.values.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.delete(key)
    if (value.data.length > this.maxBytes) return
    this.values.set(key, value)
    this.bytes += value.data.length
    for (const oldest of this.values.keys()) {
      if (this.bytes <= this.maxBytes) return
      this.delete(oldest)
    }
  }

  clear(): void {
    this.values.clear()
    this.bytes = 0
  }

  private delete(key: Key): void {
    this.bytes -= this.values.get(key)?.data.length ?? 0
    this.values.delete(key)
  }
}
