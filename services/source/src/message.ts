import { type ArtifactMessage, ORIGIN_REVISION, type SourceObject, subjects } from '@setpoint/contracts'
import { archivePath } from './archive/archive-path.ts'
import type { SourceContext, Task } from './context.ts'
import type { SourceState } from './state.ts'

/** What the bus is told of an artifact. */
export function toMessage(context: SourceContext, { object }: Task, state: SourceState): ArtifactMessage {
  const { namespace = '', name, uid = '' } = object.metadata
  const originRevision = state.metadata?.[ORIGIN_REVISION]
  return {
    kind: context.kind.gvk.kind,
    namespace,
    name,
    uid,
    revision: state.revision,
    ...(originRevision === undefined ? {} : { originRevision }),
    url: context.archives.urlOf(archivePath(object, state.id)),
    tree: state.tree,
  }
}

/** Where the bus is told of a source. */
export function subjectOf(
  { kind }: { kind: { gvk: { kind: string } } },
  { metadata }: Pick<SourceObject, 'metadata'>,
): string {
  const { namespace = '', name } = metadata
  return subjects.artifact({ kind: kind.gvk.kind, namespace, name })
}
