import type { ImagePolicyChoice } from '@setpoint/contracts'
import { parseRange, parseVersion, type Version } from '@setpoint/versions'
import { PolicyError } from './errors.ts'
import type { Candidate, Judgement } from './judge.ts'

/** Ranks what passed the filter, and says what cannot be compared. */
export type Ranking = (candidates: readonly Candidate[]) => Pick<Judgement, 'ranked' | 'rejected' | 'problem'>

/** @throws PolicyError when not exactly one order is given, or its range is none. */
export function compileOrder(choice: ImagePolicyChoice): Ranking {
  const { semver, alphabetical, numerical } = choice
  const given = [semver, alphabetical, numerical].filter((order) => order !== undefined)
  if (given.length !== 1)
    throw new PolicyError('spec.policy must have exactly one of semver, alphabetical and numerical')
  if (semver !== undefined) return bySemver(semver.range)
  if (alphabetical !== undefined) return byAlphabet(alphabetical.order ?? 'asc')
  return byNumber(numerical?.order ?? 'asc')
}

function bySemver(text: string): Ranking {
  const range = parseRange(text)
  if (range === undefined)
    throw new PolicyError(`spec.policy.semver.range "${text}" is not a range of semantic versions`)
  return (candidates) => {
    const found: { tag: string; version: Version }[] = []
    const rejected: Judgement['rejected'] = []
    for (const { tag, value } of candidates) {
      const version = parseVersion(value)
      if (version === undefined) rejected.push({ tag, reason: 'is no semantic version with three parts' })
      else if (range.test(version)) found.push({ tag, version })
      else rejected.push({ tag, reason: `is outside ${text}` })
    }
    const ranked = found.sort((a, b) => b.version.compare(a.version) || compare(a.tag, b.tag))
    return { ranked: ranked.map(({ tag }) => tag), rejected }
  }
}

function byAlphabet(order: 'asc' | 'desc'): Ranking {
  const sign = order === 'asc' ? -1 : 1
  return (candidates) => ({
    ranked: candidates
      .toSorted((a, b) => sign * Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)))
      .map(({ tag }) => tag),
    rejected: [],
  })
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function byNumber(order: 'asc' | 'desc'): Ranking {
  const sign = order === 'asc' ? -1 : 1
  return (candidates) => {
    const wrong = candidates.find(({ value }) => !NUMBER.test(value))
    if (wrong !== undefined) {
      const problem = `tag "${wrong.tag}" is no number; let filterTags leave out what is none`
      return { ranked: [], rejected: [{ tag: wrong.tag, reason: 'is no number' }], problem }
    }
    const ranked = candidates
      .map(({ tag, value }) => ({ tag, number: Number(value) }))
      .sort((a, b) => sign * (a.number - b.number) || compare(b.tag, a.tag))
    return { ranked: ranked.map(({ tag }) => tag), rejected: [] }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
