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

/** Whether a build that read these paths may find something else where trees differ (see MemoryTree.differences). */
export function mayTouch(differences: ReadonlySet<string>, fingerprints: Fingerprints): boolean {
  for (const path of differences) if (fingerprints.has(path) || fingerprints.has(`${path}/`)) return true
  return false
}

/** A path that ends in `/` was listed; any other was opened, or found to be absent. */
function fingerprint(files: FileSource, path: string): string {
  if (path.endsWith('/') || path === '') return files.list(path.replace(/\/$/, '')).join('\n')
  const kind = files.kind(path)
  return kind === undefined || kind === 'directory' ? (kind ?? 'absent') : `${kind} ${files.id?.(path) ?? ''}`
}
