import { type MemoryTree, TreeLoader } from '@setpoint/artifact'
import type { Bus } from '@setpoint/bus'
import type { ArtifactMessage, ArtifactTree, StoredBytes } from '@setpoint/contracts'

/** The files of one source at one revision. */
export interface SourceTree {
  message: ArtifactMessage
  digest: string
  files: MemoryTree
  traceId: string
  /** When the source said so: ms since the epoch. */
  time: number
}

/** Turns artifact messages into trees. What several sources or revisions share is read and held once. */
export class Trees {
  private readonly loader: TreeLoader

  constructor(bus: Bus, maxBytes: number) {
    const read = (stored: StoredBytes) => bus.bytes.get('setpoint-artifact', stored)
    this.loader = new TreeLoader(read, { maxBytes, maxFiles: 500_000 })
  }

  /** @throws BusError when the bytes cannot be had now; ArtifactError when they are damaged or too large. */
  load(key: string, tree: ArtifactTree): Promise<MemoryTree> {
    return this.loader.load(key, tree)
  }

  forget(key: string): void {
    this.loader.forget(key)
  }
}
