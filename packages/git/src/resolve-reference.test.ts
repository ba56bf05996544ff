import { describe, expect, test } from 'vitest'
import type { RemoteRefs } from './list-remote.ts'
import { resolveReference } from './resolve-reference.ts'

const oid = (digit: string) => digit.repeat(40)

function remote(refs: Record<string, string>): RemoteRefs {
  return { refs: new Map(Object.entries(refs).map(([name, value]) => [name, { name, oid: value }])) }
}

const repository = remote({
  'refs/heads/main': oid('1'),
  'refs/heads/master': oid('2'),
  'refs/tags/v1.0.0': oid('3'),
  'refs/tags/1.2.0': oid('4'),
  'refs/tags/v2.0.0-rc.1': oid('5'),
  'refs/tags/v3': oid('6'),
  'refs/tags/v1.10': oid('7'),
  'refs/pull/7/head': oid('8'),
})

function revision(selector: Parameters<typeof resolveReference>[1]): string {
  const resolved = resolveReference(repository, selector)
  return resolved.revisionOf(resolved.commit)
}

describe('which commit is meant', () => {
  test('without a reference it is master', () => expect(revision(undefined)).toBe(`master@sha1:${oid('2')}`))
  test('a branch', () => expect(revision({ branch: 'main' })).toBe(`main@sha1:${oid('1')}`))
  test('a tag wins over semver and branch', () =>
    expect(revision({ tag: 'v1.0.0', semver: '*', branch: 'main' })).toBe(`v1.0.0@sha1:${oid('3')}`))
  test('a name wins over a tag', () =>
    expect(revision({ name: 'refs/pull/7/head', tag: 'v1.0.0' })).toBe(`refs/pull/7/head@sha1:${oid('8')}`))
  test('a commit wins over all', () =>
    expect(revision({ commit: oid('9'), name: 'refs/heads/main' })).toBe(`sha1:${oid('9')}`))
  test('a commit on a branch', () =>
    expect(revision({ commit: oid('9'), branch: 'main' })).toBe(`main@sha1:${oid('9')}`))
  test('an annotated tag stands for the commit behind it', () => {
    const name = 'refs/tags/v9'
    const refs = new Map([[name, { name, oid: oid('a'), peeled: oid('b') }]])
    expect(resolveReference({ refs }, { tag: 'v9' }).commit).toBe(oid('b'))
  })
})

describe('semver', () => {
  test('takes the highest tag with three parts', () =>
    expect(revision({ semver: '>=1.0.0' })).toBe(`1.2.0@sha1:${oid('4')}`))
  test('takes a prerelease only when the range names one', () =>
    expect(revision({ semver: '>=1.0.0-0' })).toBe(`v2.0.0-rc.1@sha1:${oid('5')}`))
  test('takes parts joined by a comma', () =>
    expect(revision({ semver: '>=1.0.0, <1.2.0' })).toBe(`v1.0.0@sha1:${oid('3')}`))
  test('keeps every tag of the same version', () => {
    const tags = remote({ 'refs/tags/1.0.0+a': oid('1'), 'refs/tags/1.0.0+b': oid('2') })
    expect(resolveReference(tags, { semver: '1.x' }).candidates?.map(({ tag }) => tag)).toEqual([
      '1.0.0+a',
      '1.0.0+b',
    ])
  })
})

describe('what does not exist is named', () => {
  test.each([
    [{ branch: 'gone' }, 'RefNotFound', 'branch "gone"'],
    [{ tag: 'gone' }, 'RefNotFound', 'tag "gone"'],
    [{ name: 'refs/x' }, 'RefNotFound', 'reference "refs/x"'],
    [{ semver: '>9' }, 'RefNotFound', '">9"'],
    [{ semver: 'not a range' }, 'InvalidReference', 'not a range'],
    [{ commit: 'abc' }, 'InvalidReference', 'abc'],
  ])('%o', (selector, code, message) => {
    expect(() => resolveReference(repository, selector)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })
  test('an empty repository', () => {
    expect(() => resolveReference(remote({}), {})).toThrow(
      expect.objectContaining({ code: 'EmptyRepository' }),
    )
  })
})
