import { expect, test } from 'vitest'
import { LineReader } from './line-reader.ts'

test('lines are the same however the bytes are cut, also inside a character', () => {
  const bytes = Buffer.from('first\nsecond with é\n\nlast without a break')
  for (let size = 1; size <= bytes.length; size++) {
    const lines: string[] = []
    const reader = new LineReader((line) => lines.push(line))
    for (let start = 0; start < bytes.length; start += size) reader.add(bytes.subarray(start, start + size))
    reader.end()
    expect(lines).toEqual(['first', 'second with é', 'last without a break'])
  }
})

test('a line without an end is refused at 32 MiB', () => {
  const reader = new LineReader(() => undefined)
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  expect(() => {
    for (let count = 0; count < 40; count++) reader.add(megabyte)
  }).toThrow('longer than 33554432 bytes')
})
