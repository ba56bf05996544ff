import type { Command } from './command.ts'
import { command as up } from './commands/up.ts'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [up]

export function findCommand(name: string): Command | undefined {
  return commands.find((command) => command.name === name)
}
