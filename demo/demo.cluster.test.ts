import { join } from 'node:path'
import { startChild } from '@setpoint/testkit'
import { expect, it } from 'vitest'

it('the demo verifies every step of its story, with its repository behind SSH', {
  timeout: 240_000,
}, async () => {
  const args = [join(import.meta.dirname, 'main.ts'), '--once', '--ssh']
  const demo = await startChild('demo', process.execPath, args)
  const { code } = await demo.exited
  expect(demo.logs()).toContain('Every step was verified')
  expect(code).toBe(0)
})
