import type { JsonObject } from '@setpoint/manifest'
import type { ParseCache } from './parse/cache.ts'

/**
 * A read-only file tree. Paths are POSIX, relative to the root of the tree, without a leading slash;
 * '' is the root.
 */
export interface FileSource {
  /** The bytes of a file; undefined when it is absent or a directory. */
  read(path: string): Uint8Array | undefined
  kind(path: string): 'file' | 'directory' | 'symlink' | undefined
  /** Where a symlink points, as written in it. Without this, a symlink is an error. */
  readlink?(path: string): string
  /** The names in a directory, sorted. */
  list(path: string): string[]
  /** True when paths are those of a whole file system, so that absolute paths and links mean something. */
  isWholeFileSystem?: boolean
  /** Names the content (a git blob id, say), so that a parse can be used again. */
  id?(path: string): string | undefined
}

export interface BuildOptions {
  /** `rootOnly` (the default): a kustomization reads no file outside of its own directory. */
  loadRestrictor?: 'rootOnly' | 'none'
  /** kustomize's --reorder. Undefined is the default of its CLI: legacy order, unless sortOptions says otherwise. */
  reorder?: 'legacy' | 'none' | undefined
  /** Adds app.kubernetes.io/managed-by to every object. */
  enableManagedByLabel?: boolean
  cache?: ParseCache
  limits?: Partial<Limits>
  /** A kustomization that stands in for the file in the root directory, or where there is none. */
  overlay?: JsonObject
  /** Gives the content that a secretGenerator or a patch sees of a file, for example what it holds once decrypted. */
  openFile?: OpenFile
}

export type OpenFile = (file: { path: string; content: Uint8Array }, use: FileUse) => Uint8Array

/** What a file is opened for. `name` is the key that it gets in the Secret, or the path as it was written. */
export interface FileUse {
  as: 'secretFile' | 'secretEnv' | 'patch'
  name: string
}

/** Bounds on one build; going over one is a problem with code `limit-exceeded`. */
export interface Limits {
  /** Bytes of one file. */
  maxFileBytes: number
  /** Bytes of all files of a build. */
  maxTotalBytes: number
  /** Resources of a build. */
  maxResources: number
  /** Kustomizations below one another. */
  maxDepth: number
  /** Kustomizations of a build, counted each time that one is built. */
  maxKustomizations: number
  /** YAML nodes of one file, aliases counted each time. */
  maxNodes: number
}

/** One object of the result, and where it comes from. */
export interface BuiltResource {
  object: JsonObject
  /** The file that holds it, or the kustomization file whose generator made it; 1-based line. */
  source: { file: string; line: number }
}

export interface BuildResult {
  /** In output order. Empty when there are problems. */
  resources: BuiltResource[]
  /** Not empty: the build failed. */
  problems: Problem[]
  /** Every path opened or looked for, absent ones too; a listed directory as `dir/`. Sorted. */
  reads: string[]
}

/** Why a build failed. See describeProblem for the whole in one line. */
export interface Problem {
  code: ProblemCode
  /** What failed, without its place. */
  message: string
  /** Path in the tree. */
  file?: string
  /** 1-based. */
  line?: number
  /** Of the file, or of the object that failed. */
  field?: string
}

export type ProblemCode =
  | 'ambiguous-reference'
  | 'bad-patch'
  | 'bad-path'
  | 'bad-selector'
  | 'bad-value'
  | 'bad-yaml'
  | 'conflict'
  | 'cycle'
  | 'file-not-found'
  | 'internal'
  | 'kustomization-not-found'
  | 'limit-exceeded'
  | 'not-supported'
  | 'outside-root'
  | 'resource-not-found'
  | 'unknown-field'
  | 'validation-failed'
