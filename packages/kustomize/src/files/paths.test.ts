import { expect, it } from 'vitest'
import { cleanRelative, isInside, isRemote, joinPath } from './paths.ts'

it.each([
  ['a/b', '../c', 'a/c'],
  ['a', './b//c/', 'a/b/c'],
  ['', 'a', 'a'],
  ['a', '..', ''],
  ['a', '../..', undefined],
  ['a', '.hidden/..x', 'a/.hidden/..x'],
])('%j joined with %j is %j', (directory, path, joined) => {
  expect(joinPath(directory, path)).toBe(joined)
})

it.each([
  'https://example.com/x',
  'git::https://example.com/x',
  'ssh://git@example.com/x',
  'git@github.com:org/repo',
  'github.com/org/repo//dir?ref=v1',
  'file:///repo',
])('%s is remote', (path) => {
  expect(isRemote(path)).toBe(true)
})

it.each(['../base', 'github.com', 'base@v1', 'a/b:c'])('%s is a path', (path) => {
  expect(isRemote(path)).toBe(false)
})

it('a directory is inside itself, and not inside one that starts like it', () => {
  expect(isInside('a', 'a')).toBe(true)
  expect(isInside('a', 'ab/c')).toBe(false)
})

it('a relative path keeps the dots that lead out of it', () => {
  expect(cleanRelative('../../a/./b/../c')).toBe('../../a/c')
})
