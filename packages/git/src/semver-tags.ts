import semver from 'semver'
import type { RemoteRefs } from './list-remote.ts'

/** A tag that is a semantic version. */
export interface SemverTag {
  /** As it is written, with its `v` if it has one. */
  tag: string
  refName: string
  commit: string
  /** The tag object, of an annotated tag. */
  tagObject?: string
  version: semver.SemVer
}

/** Three dot parts, an optional `v`: what Flux takes for a version. */
const STRICT_TAG = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/

/**
 * The tags within a range that share the highest version (they differ in build metadata), in the order of the listing.
 * Prereleases count only when the range names one.
 */
export function tagsInRange(remote: RemoteRefs, range: string): SemverTag[] {
  const parsed = parseRange(range)
  if (parsed === undefined) return []
  let best: SemverTag[] = []
  for (const candidate of semverTags(remote)) {
    if (!matches(parsed, candidate.version)) continue
    const order = best[0] === undefined ? 1 : candidate.version.compare(best[0].version)
    if (order > 0) best = [candidate]
    else if (order === 0) best.push(candidate)
  }
  return best
}

/** A range as Masterminds/semver writes it, which Flux uses: parts may be joined by commas too. */
export function parseRange(range: string): semver.Range | undefined {
  try {
    return new semver.Range(range.replaceAll(/\s*,\s*/g, ' '))
  } catch {
    return undefined
  }
}

/** A prerelease counts only where every comparator of an alternative names a prerelease itself, as in Masterminds/semver. */
function matches(range: semver.Range, version: semver.SemVer): boolean {
  if (version.prerelease.length === 0) return range.test(version)
  return range.set.some((comparators) =>
    comparators.every(
      (comparator) => (comparator.semver.prerelease?.length ?? 0) > 0 && comparator.test(version),
    ),
  )
}

function* semverTags(remote: RemoteRefs): Iterable<SemverTag> {
  for (const { name, oid, peeled } of remote.refs.values()) {
    if (!name.startsWith('refs/tags/')) continue
    const tag = name.slice('refs/tags/'.length)
    const version = STRICT_TAG.test(tag) ? semver.parse(tag) : null
    if (version !== null)
      yield {
        tag,
        refName: name,
        commit: peeled ?? oid,
        version,
        ...(peeled === undefined ? {} : { tagObject: oid }),
      }
  }
}
