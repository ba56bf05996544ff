export { ArchiveMembers } from './archive-members.ts'
export { ArchiveOutline } from './archive-outline.ts'
export {
  applyChanges,
  type Changes,
  changesBetween,
  changesFrom,
  digestAfter,
  fileAt,
  followedBy,
} from './changes.ts'
export type { UnpackLimits } from './container.ts'
export { type Delta, decodeDelta, encodeDelta, freshContents } from './delta.ts'
export { ArtifactError, type ArtifactErrorCode } from './errors.ts'
export { MemoryTree } from './memory-tree.ts'
export { type Blobs, decodePack, encodePack, PackBuilder, type PackRef } from './pack.ts'
export { type ArchiveLimits, readTarGz } from './read-tar-gz.ts'
export { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts'
export { digestOf, writeTarGz } from './tar-gz.ts'
export { fileContents, mergeTree, type Tree } from './tree.ts'
export { byPath, type FileContents, type TreeFile, treeDigest } from './tree-file.ts'
export { type StoredTree, storedPack, TreeLoader } from './tree-loader.ts'
