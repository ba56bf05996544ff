import type { FileSource } from '@setpoint/kustomize'

/** What a build found at each path that it opened or looked for. */
export type Fingerprints = ReadonlyMap<string, string>

export function takeFingerprints(files: FileSource, reads: Iterable<string>): Fingerprints {
  return new Map([...reads].map((path) => [path, fingerprint(files, path)]))
}

/** Whether a build that read these paths would find anything else in another tree. */
export function touched(files: FileSource, fingerprints: Fingerprints): boolean {
  for (const [path, before] of fingerprints) if (fingerprint(files, path) !== before) return true
  return false
}

/** Paths at which trees differ (see MemoryTree.differences), as a build would have noted them: opened, or listed. */
export function asNoted(differences: ReadonlySet<string>): string[] {
  return [...differences].flatMap((path) => [path, `${path}/`])
}

/** Whether a build that read these paths may find something else. @param noted of asNoted, made once for all builds */
export function mayTouch(noted: readonly string[], fingerprints: Fingerprints): boolean {
  return noted.some((path) => fingerprints.has(path))
}

/** A path that ends in `/` was listed; any other was opened, or found to be absent. */
function fingerprint(files: FileSource, path: string): string {
  if (path.endsWith('/') || path === '') return files.list(path.replace(/\/$/, '')).join('\n')
  const kind = files.kind(path)
  return kind === undefined || kind === 'directory' ? (kind ?? 'absent') : `${kind} ${files.id?.(path) ?? ''}`
}
