import { DEFAULT_LIMITS, type UnpackLimits } from './container.ts'
import { ArtifactError } from './errors.ts'
import type { TreeFile } from './tree-file.ts'

/** A file as it is written: path, blob id, mode, size. */
export type ListedFile = [path: string, blobId: string, mode: string, size: number]

export function toListed({ path, blobId, mode, size }: TreeFile): ListedFile {
  return [path, blobId, mode, size]
}

/** Reads a list of files from JSON and refuses paths that leave the tree. @throws ArtifactError */
export function readListing(value: unknown, limits: UnpackLimits): TreeFile[] {
  if (!Array.isArray(value)) throw new ArtifactError('Damaged', 'the listing is no list')
  const maxFiles = limits.maxFiles ?? DEFAULT_LIMITS.maxFiles
  if (value.length > maxFiles) throw new ArtifactError('TooLarge', `the tree has more than ${maxFiles} files`)
  return value.map(readFile)
}

/** Reads a list of texts from JSON. @throws ArtifactError */
export function readTexts(value: unknown): string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string'))
    throw new ArtifactError('Damaged', 'the head holds no list of texts')
  return value
}

function readFile(value: unknown): TreeFile {
  const [path, blobId, mode, size] = Array.isArray(value) ? value : []
  const readMode = mode === '100644' || mode === '100755' || mode === '120000' ? mode : undefined
  if (!isSafePath(path) || typeof blobId !== 'string' || readMode === undefined || !isSize(size))
    throw new ArtifactError('Damaged', `the listing has an unusable file ${JSON.stringify(path)}`)
  return { path, blobId, mode: readMode, size }
}

function isSafePath(path: unknown): path is string {
  if (typeof path !== 'string' || path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function isSize(size: unknown): size is number {
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
}
