import type { TreeFile } from '@setpoint/artifact'
import type { RemoteOptions } from '@setpoint/git'
import type { Blob } from './known.ts'

/** A file that may come into the artifact. */
export interface SourceEntry {
  path: string
  /** What the origin calls the content: equal ids mean equal bytes, within one source. */
  oid: string
  mode: TreeFile['mode']
  read(): Promise<Uint8Array>
  /** What the content is, where that is known without reading it. */
  blob?: Blob
  /** The repository that it is of, where its Git LFS file can be had. */
  remote?: RemoteOptions
}
