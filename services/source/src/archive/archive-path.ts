import type { SourceObject } from '@setpoint/contracts'

/** `gitrepository/<namespace>/<name>/<commit>.tar.gz`: where an archive is served. id: a commit, or a digest. */
export function archivePath(object: SourceObject, id: string): string {
  return `${archiveDirectory(object)}/${id}.tar.gz`
}

/** `gitrepository/<namespace>/<name>`: all archives of one object. */
export function archiveDirectory({ kind, metadata }: SourceObject): string {
  return `${kind.toLowerCase()}/${metadata.namespace ?? ''}/${metadata.name}`
}
