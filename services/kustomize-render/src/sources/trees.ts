import { applyDelta, decodeSnapshot, type FileContents, MemoryTree } from '@setpoint/artifact'
import type { Bus } from '@setpoint/bus'
import type { ArtifactMessage, ArtifactTree } from '@setpoint/contracts'

/** The files of one source at one revision. */
export interface SourceTree {
  message: ArtifactMessage
  digest: string
  files: MemoryTree
  traceId: string
  /** When the source said so: ms since the epoch. */
  time: number
}

interface Snapshot {
  digest: string
  files: Map<string, FileContents>
}

/** Turns artifact messages into trees. Keeps the snapshot of each source, so that a commit costs one small delta. */
export class Trees {
  private readonly bus: Bus
  private readonly limits: { maxBytes: number; maxFiles: number }
  private readonly snapshots = new Map<string, Snapshot>()

  constructor(bus: Bus, maxBytes: number) {
    this.bus = bus
    this.limits = { maxBytes, maxFiles: 500_000 }
  }

  /** @throws BusError when the bytes cannot be had now; ArtifactError when they are damaged or too large. */
  async load(key: string, tree: ArtifactTree): Promise<MemoryTree> {
    const base = await this.snapshot(key, tree)
    if (tree.delta === undefined) return new MemoryTree(base.files)
    const delta = await this.bus.getBytes('setpoint-artifact', tree.delta)
    return new MemoryTree(applyDelta(base.files, delta, this.limits))
  }

  forget(key: string): void {
    this.snapshots.delete(key)
  }

  private async snapshot(key: string, tree: ArtifactTree): Promise<Snapshot> {
    const held = this.snapshots.get(key)
    if (held?.digest === tree.snapshot.digest) return held
    const bytes = await this.bus.getBytes('setpoint-artifact', tree.snapshot)
    const contents = decodeSnapshot(bytes, this.limits)
    const files = new Map(contents.map((one) => [one.file.path, one]))
    const snapshot = { digest: tree.snapshot.digest, files }
    this.snapshots.set(key, snapshot)
    return snapshot
  }
}
