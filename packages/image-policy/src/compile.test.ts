import { describe, expect, it } from 'vitest'
import { compilePolicy, type ImagePolicyRules } from './compile.ts'
import { PolicyError } from './errors.ts'

const semver = (range: string) => ({ semver: { range } })
const choose = (rules: ImagePolicyRules, tags: string[]) => compilePolicy(rules).judge(tags)

describe('a policy chooses', () => {
  it.each<[string, ImagePolicyRules, string[], string]>([
    [
      'the highest version of a range',
      { policy: semver('1.x') },
      ['1.2.0', '1.10.0', '2.0.0', 'latest'],
      '1.10.0',
    ],
    ['no prerelease that is not named', { policy: semver('*') }, ['1.0.0', '1.1.0-rc.1'], '1.0.0'],
    ['a prerelease that is named', { policy: semver('>=1.0.0-0') }, ['1.0.0', '1.1.0-rc.1'], '1.1.0-rc.1'],
    ['no version of two parts', { policy: semver('*') }, ['3.1', '2', '1.0.0'], '1.0.0'],
    ['a version with a v', { policy: semver('*') }, ['v2.0.0', '1.0.0'], 'v2.0.0'],
    ['the last by bytes', { policy: { alphabetical: {} } }, ['a', 'B', 'c', 'C'], 'c'],
    ['the first by bytes', { policy: { alphabetical: { order: 'desc' } } }, ['a', 'B', 'c'], 'B'],
    ['the highest number', { policy: { numerical: { order: 'asc' } } }, ['9', '10', '1.5'], '10'],
    ['the lowest number', { policy: { numerical: { order: 'desc' } } }, ['9', '10', '1.5'], '1.5'],
    [
      'by what was extracted',
      { policy: { numerical: {} }, filterTags: { pattern: '^main-[0-9a-f]+-(?P<ts>\\d+)$', extract: '$ts' } },
      ['main-ff-100', 'main-aa-200', 'dev-aa-300', 'latest'],
      'main-aa-200',
    ],
    [
      'by several groups',
      { policy: semver('*'), filterTags: { pattern: '^(\\d+)_(\\d+)_(\\d+)$', extract: '${1}.$2.$3' } },
      ['1_2_3', '1_10_0'],
      '1_10_0',
    ],
    [
      'what matches anywhere',
      { policy: { alphabetical: {} }, filterTags: { pattern: 'alpine' } },
      ['1-alpine', '2-alpine3', '3'],
      '2-alpine3',
    ],
    [
      'the last of those that give the same',
      { policy: { numerical: {} }, filterTags: { pattern: '^\\w-(\\d)$', extract: '$1' } },
      ['b-1', 'a-1'],
      'b-1',
    ],
  ])('%s', (_what, rules, tags, chosen) => {
    expect(choose(rules, tags).chosen).toBe(chosen)
    expect(choose(rules, tags.toReversed()).chosen).toBe(chosen)
  })

  it('and says of every other tag why not', () => {
    const rules = { policy: semver('1.x'), filterTags: { pattern: '^[0-9]' } }
    const { ranked, rejected } = choose(rules, ['1.0.0', '1.1.0', '2.0.0', 'latest', '1'])
    expect(ranked).toEqual(['1.1.0', '1.0.0'])
    expect(Object.fromEntries(rejected.map(({ tag, reason }) => [tag, reason]))).toEqual({
      latest: 'does not match ^[0-9]',
      '1': 'is no semantic version with three parts',
      '2.0.0': 'is outside 1.x',
    })
  })
})

describe('a policy chooses nothing', () => {
  it.each<[string, ImagePolicyRules, string[], string]>([
    ['when there are no tags', { policy: semver('*') }, [], 'there are no tags'],
    ['when none fits', { policy: semver('9.x') }, ['1.0.0', 'latest'], 'none of the 2 tags fits the policy'],
    ['when one tag is no number', { policy: { numerical: {} } }, ['1', 'latest'], '"latest" is no number'],
  ])('%s, and says so', (_what, rules, tags, says) => {
    const judged = choose(rules, tags)
    expect(judged.chosen).toBeUndefined()
    expect(judged.problem).toContain(says)
  })

  it.each<[string, ImagePolicyRules]>([
    ['a range that is none', { policy: semver('one') }],
    ['a pattern that does not compile', { policy: semver('*'), filterTags: { pattern: '(' } }],
    ['a pattern that looks behind', { policy: semver('*'), filterTags: { pattern: '(?<=a)b' } }],
    [
      'a pattern that is enormous',
      { policy: semver('*'), filterTags: { pattern: '((a{1000}){1000}){1000}' } },
    ],
    ['two orders', { policy: { ...semver('*'), numerical: {} } }],
    ['no order', { policy: {} }],
  ])('%s is refused', (_what, rules) => {
    expect(() => compilePolicy(rules)).toThrow(PolicyError)
  })

  it('a pattern that would explode elsewhere takes linear time', () => {
    const tags = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(100)}${index}`)
    const rules = { policy: { alphabetical: {} }, filterTags: { pattern: '^(a+)+$' } }
    expect(choose(rules, tags).chosen).toBeUndefined()
  })
})
