import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseCommandLine } from './arguments.ts'
import { globalFlags } from './command.ts'
import { commandHelp } from './help.ts'
import { reference } from './reference.ts'
import { commands } from './registry.ts'

describe.each(commands.map((command) => [command.name, command] as const))('setpoint %s', (name, command) => {
  test('has a summary without a full stop, and examples that call it', () => {
    expect(command.summary).not.toMatch(/\.$/)
    expect(command.examples.length).toBeGreaterThan(0)
    for (const { line } of command.examples) expect(line).toContain(`setpoint ${name}`)
  })

  test('shows each of its flags in its help', () => {
    for (const flag of Object.keys({ ...globalFlags, ...command.flags }))
      expect(commandHelp(command)).toContain(`--${flag}`)
  })
})

test.each(
  commands
    .filter(({ takesRawArguments }) => !takesRawArguments)
    .map((command) => [command.name, command] as const),
)('setpoint %s refuses a flag that it does not have', (_name, command) => {
  expect(() => parseCommandLine(command, ['--no-such-flag'])).toThrow('no-such-flag')
})

test('docs/cli.md says what the help says', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8')
  expect(page).toBe(reference(commands))
})
