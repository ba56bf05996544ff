import { describe, expect, it } from 'vitest'
import { DurationError, formatDuration, parseDuration, parseInterval } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['250ms', 250],
    ['1h0m0.5s', 3_600_500],
    ['0', 0],
    ['100us', 0.1],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 6)
  })

  it.each(['', '10', 'm', '5 m', '1d', '-1s', '1m junk', '1..5s'])(
    'refuses %j and says how to write it',
    (text) => {
      expect(() => parseDuration(text)).toThrow(DurationError)
      expect(() => parseDuration(text)).toThrow('write it like 90s, 10m or 1h30m')
    },
  )
})

const LONGEST_TIMER_MS = 2 ** 31 - 1

describe('a duration that no timer can wait', () => {
  it.each(['720h', '1000000h', `${'9'.repeat(400)}h`])('%s is one that it can, also with jitter', (text) => {
    expect(parseDuration(text) * 1.1).toBeLessThan(LONGEST_TIMER_MS)
    expect(parseDuration(text)).toBeGreaterThan(14 * 86_400_000)
  })

  it.each(['0s', '1ms', '0.0001s'])('an interval of %s is a second', (text) => {
    expect(parseInterval(text)).toBe(1_000)
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [0.25, '250µs'],
    [1.25, '1.25ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_234.567, '1.234567s'],
    [60_000, '1m0s'],
    [90_500, '1m30.5s'],
    [3_600_000, '1h0m0s'],
    [5_400_000, '1h30m0s'],
    [-1_500, '-1.5s'],
  ])('writes %d ms as Go does', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  it('is read back as the same duration', () => {
    for (const milliseconds of [1, 59_999, 60_001, 86_400_000, 3_599_999.5])
      expect(parseDuration(formatDuration(milliseconds))).toBeCloseTo(milliseconds, 3)
  })
})
