import type { Command, CommandContext } from '../command.ts'
import { completionScript, shells } from '../completion-scripts.ts'
import { UsageError } from '../errors.ts'

export const command: Command = {
  name: 'completion',
  summary: 'Print a script that completes commands and flags in your shell',
  usage: 'bash|zsh|fish',
  examples: [
    { does: 'bash, in this shell', line: 'source <(setpoint completion bash)' },
    { does: 'zsh', line: 'setpoint completion zsh > "${fpath[1]}/_setpoint"' },
    { does: 'fish', line: 'setpoint completion fish > ~/.config/fish/completions/setpoint.fish' },
  ],
  flags: {},
  completes: shells,
  run,
}

async function run({ args, io }: CommandContext): Promise<number> {
  const [shell] = args
  const known = shells.find((candidate) => candidate === shell)
  if (known === undefined || args.length > 1)
    throw new UsageError(`say for which shell: ${shells.join(', ')}`)
  const { commands } = await import('../registry.ts')
  io.stdout.write(completionScript(known, commands))
  return 0
}
