/** Compressed members of archives by name, those in use last; no more than some bytes of them. */
export class ArchiveMembers {
  private readonly held = new Map<string, Uint8Array>()
  private readonly maxBytes: number
  private bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  find(name: string): Uint8Array | undefined {
    const found = this.held.get(name)
    if (found === undefined) return undefined
    this.held.delete(name)
    this.held.set(name, found)
    return found
  }

  keep(name: string, member: Uint8Array): void {
    if (member.length > this.maxBytes || this.held.has(name)) return
    this.held.set(name, member)
    this.bytes += member.length
    for (const [oldest, { length }] of this.held) {
      if (this.bytes <= this.maxBytes) return
      this.held.delete(oldest)
      this.bytes -= length
    }
  }
}
