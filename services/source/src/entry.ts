import type { TreeFile } from '@setpoint/artifact'
import type { RemoteOptions } from '@setpoint/git'

/** A file that may come into the artifact. */
export interface SourceEntry {
  path: string
  /** Names the content: equal ids mean equal bytes. */
  oid: string
  mode: TreeFile['mode']
  read(): Promise<Uint8Array>
  /** The repository that it is of, where its Git LFS file can be had. */
  remote?: RemoteOptions
}
