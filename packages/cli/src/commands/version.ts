import { readFile } from 'node:fs/promises'
import type { Command, CommandContext } from '../command.ts'

export const command: Command = {
  name: 'version',
  summary: 'Print the version of Setpoint and of Node',
  usage: '',
  examples: [{ does: 'Which version is this', line: 'setpoint version' }],
  flags: {
    output: {
      type: 'string',
      short: 'o',
      placeholder: 'json',
      values: ['json'],
      description: 'Print as JSON',
    },
  },
  run,
}

async function run({ io, flags }: CommandContext): Promise<number> {
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const versions = { setpoint: version, node: process.versions.node }
  const text = Object.entries(versions).map(([name, value]) => `${name} ${value}`)
  io.stdout.write(flags.text('output') === 'json' ? `${JSON.stringify(versions)}\n` : `${text.join('\n')}\n`)
  return 0
}
