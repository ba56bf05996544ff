import { EXTERNAL_ARTIFACT } from '@setpoint/contracts'
import { sourceKey } from '../keys.ts'
import type { ExternalArtifacts } from './external-artifacts.ts'
import type { SourceObjects } from './source-objects.ts'
import type { SourceReference } from './source-problem.ts'
import type { Sources } from './sources.ts'
import type { SourceTree } from './trees.ts'

/** Sources of every kind: those that the bus tells of, and those that others serve. */
export class AllSources {
  private readonly told: Sources
  private readonly objects: SourceObjects
  private readonly external: ExternalArtifacts

  constructor(told: Sources, objects: SourceObjects, external: ExternalArtifacts) {
    this.told = told
    this.objects = objects
    this.external = external
  }

  /** The present tree of a source; undefined while it, or a newer one, is being loaded. */
  get(source: SourceReference): SourceTree | undefined {
    return isExternal(source) ? this.external.get(source) : this.told.get(sourceKey(source))
  }

  /** Why a source gives no files; undefined while it may still be about to. */
  problem(source: SourceReference): string | undefined {
    if (isExternal(source)) return this.external.problem(source)
    return this.told.isAnnounced(sourceKey(source)) ? undefined : this.objects.problem(source)
  }
}

const isExternal = ({ kind }: SourceReference): boolean => kind === EXTERNAL_ARTIFACT.kind
