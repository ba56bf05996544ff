import fs from 'node:fs'
import { gitFs } from './git-fs.ts'
import { checkPack, type PackLimits } from './pack-check.ts'

/** The file system; a pack is checked before it is written, and so before it is read. */
export function checkedFs(limits: PackLimits | undefined) {
  // A write that fails for want of a directory is tried again.
  const good = new WeakSet<Uint8Array>()
  const writeFile = async (path: string, content: string | Uint8Array, options?: fs.WriteFileOptions) => {
    if (path.endsWith('.pack') && typeof content !== 'string' && !good.has(content)) {
      checkPack(content, limits)
      good.add(content)
    }
    await fs.promises.writeFile(path, content, options as BufferEncoding)
  }
  return { promises: { ...gitFs.promises, writeFile } }
}
