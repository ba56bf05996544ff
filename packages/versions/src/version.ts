import semver from 'semver'

/** A semantic version. Build metadata has no part in comparisons. */
export type Version = semver.SemVer

/** Three dot parts and an optional `v`: what Flux takes for a version in a tag. */
const STRICT = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/

/** Reads a tag as a version; undefined when it is none. */
export function parseVersion(tag: string): Version | undefined {
  return STRICT.test(tag) ? (semver.parse(tag) ?? undefined) : undefined
}
