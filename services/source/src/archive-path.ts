import { GIT_REPOSITORY, type GitRepository } from '@setpoint/contracts'

/** `gitrepository/<namespace>/<name>/<commit>.tar.gz`: where the archive of a commit is served. */
export function archivePath(repository: GitRepository, commit: string): string {
  return `${archiveDirectory(repository)}/${commit}.tar.gz`
}

/** `gitrepository/<namespace>/<name>`: all archives of one GitRepository. */
export function archiveDirectory({ metadata }: GitRepository): string {
  return `${GIT_REPOSITORY.kind.toLowerCase()}/${metadata.namespace ?? ''}/${metadata.name}`
}
