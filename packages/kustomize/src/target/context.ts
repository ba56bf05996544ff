import type { Loader } from '../files/loader.ts'
import type { Kustomization } from '../kustomization/types.ts'
import type { Schemas } from '../merge/schema.ts'
import type { FileParser } from '../parse/file.ts'
import type { Origin } from '../resource/origin.ts'
import type { Limits } from '../types.ts'

/** What all kustomizations of one build share. */
export interface BuildContext {
  parser: FileParser
  schemas: Schemas
  limits: Limits
  /** buildMetadata of the root; the bases follow it. */
  buildMetadata: string[]
  counts: { kustomizations: number }
}

/** One kustomization on its way through a build. */
export interface TargetContext extends BuildContext {
  loader: Loader
  kustomization: Kustomization
  /** Path of the kustomization file. */
  file: string
  fileName: string
  /** Kept only where buildMetadata asks for it. */
  origin: Origin | undefined
}
