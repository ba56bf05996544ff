import fs from 'node:fs'
import type { PackLimits } from './pack/limits.ts'
import { storePack } from './pack/store-pack.ts'

/** The file system for fetching into a directory: a pack is checked and indexed by us. */
export function fetchFs(gitdir: string, limits: PackLimits | undefined) {
  const writeFile = async (path: string, content: string | Uint8Array, options?: fs.WriteFileOptions) => {
    if (path.endsWith('.idx')) return
    if (path.endsWith('.pack') && typeof content !== 'string') await storePack(gitdir, once(content), limits)
    else await fs.promises.writeFile(path, content, options as BufferEncoding)
  }
  return { promises: { ...fs.promises, writeFile } }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
