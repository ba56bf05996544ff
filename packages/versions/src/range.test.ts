import { describe, expect, it } from 'vitest'
import { parseRange } from './range.ts'
import { parseVersion } from './version.ts'

const within = (range: string, tag: string) => {
  const version = parseVersion(tag)
  return version !== undefined && parseRange(range)?.test(version) === true
}

describe('a range', () => {
  it.each([
    ['*', ['1.0.0', 'v2.3.4'], ['1.0.0-rc.1', '1.0', 'latest']],
    ['1.x', ['1.0.0', '1.9.9'], ['2.0.0', '1.5.0-rc.1']],
    ['<2', ['1.9.9'], ['2.0.0', '1.0.0-alpha']],
    ['>1.2', ['1.3.0'], ['1.2.9', '1.2.0']],
    ['<=1.2', ['1.2.9'], ['1.3.0']],
    ['>=1.0.0-0', ['1.0.0', '1.0.0-alpha', '2.0.0-rc.1'], ['0.9.0']],
    ['>=1.0.0-0 <2', ['1.5.0'], ['1.5.0-rc.1', '2.0.0']],
    ['>=1.0.0-0, <2.0.0-0', ['1.5.0-rc.1'], ['2.0.0-rc.1']],
    ['~1.2.3', ['1.2.9'], ['1.3.0', '1.2.2']],
    ['^0.2.3', ['0.2.9'], ['0.3.0']],
    ['^1.2.3-beta.1', ['1.2.3-beta.2', '1.3.0-alpha'], ['2.0.0-alpha', '1.2.3-alpha']],
    ['1.2 - 1.4', ['1.2.0', '1.4.9'], ['1.5.0']],
    ['1.x, != 1.3.0', ['1.2.0'], ['1.3.0']],
    ['!=1.2', ['1.3.0'], ['1.2.7']],
    ['=> 1.2.0', ['1.2.0'], ['1.1.0']],
    ['1.x || 3.x', ['1.0.0', '3.1.0'], ['2.0.0']],
    ['v1.2.3', ['1.2.3', 'v1.2.3'], ['1.2.4']],
  ])('%s', (range, inside, outside) => {
    expect(inside.filter((tag) => !within(range, tag))).toEqual([])
    expect(outside.filter((tag) => within(range, tag))).toEqual([])
  })

  it.each(['one', '1.2.3.4', '>> 1', '1..2', 'x'.repeat(2_000)])('%s is none', (text) => {
    expect(parseRange(text)).toBeUndefined()
  })
})
