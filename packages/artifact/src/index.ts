export { MemoryTree } from './memory-tree.ts'
export {
  applyDelta,
  decodeSnapshot,
  defaultPackLimits,
  encodeDelta,
  encodeSnapshot,
  PackError,
  type PackLimits,
} from './pack.ts'
export { type Archive, writeTarGz } from './tar-gz.ts'
export { changedPaths, type FileContents, type FileMode, type TreeFile, treeDigest } from './tree.ts'
