import semver from 'semver'
import type { Version } from './version.ts'

/** Which versions are meant. */
export interface VersionRange {
  test(version: Version): boolean
}

const NAMES_PRERELEASE = /\d+\.\d+\.\d+-[0-9A-Za-z]/
const MAX_LENGTH = 1_000

/**
 * Reads a range as Masterminds/semver does, which Flux uses: alternatives by `||`; within one, comparisons that must
 * all hold, by commas or blanks. A prerelease is in it only where every comparison of an alternative names one itself.
 * @returns undefined when it is no range.
 */
export function parseRange(text: string): VersionRange | undefined {
  if (text.length > MAX_LENGTH) return undefined
  try {
    const alternatives = text.split('||').map(readAlternative)
    return { test: (version) => alternatives.some((holds) => holds(version)) }
  } catch {
    return undefined
  }
}

type Test = (version: Version) => boolean

function readAlternative(text: string): Test {
  const parts = comparisonsOf(text)
  const takesPrereleases = parts.every((part) => NAMES_PRERELEASE.test(part))
  const tests = parts.map(readComparison)
  return (version) =>
    (version.prerelease.length === 0 || takesPrereleases) && tests.every((holds) => holds(version))
}

/** `1.2 - 1.4` is `>=1.2 <=1.4`; blanks between an operator and its version mean nothing. */
function comparisonsOf(text: string): string[] {
  const spaced = text
    .replaceAll(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2')
    .replaceAll(',', ' ')
    .replaceAll(/(^|\s)(!=|=>|=<|>=|<=|~>|[<>=~^])\s+/g, '$1$2')
    .trim()
  return spaced === '' ? ['*'] : spaced.split(/\s+/)
}

function readComparison(text: string): Test {
  const [, operator = '', rest = ''] = /^(!=|=>|=<)?(.*)$/.exec(text) ?? []
  const npm = operator === '=>' ? `>=${rest}` : operator === '=<' ? `<=${rest}` : rest
  const range = new semver.Range(npm, { includePrerelease: true })
  return operator === '!=' ? (version) => !range.test(version) : (version) => range.test(version)
}
