import type { Command } from './command.ts'
import { commandHelp, overview } from './help.ts'

/** The text of docs/cli.md: what the help prints, command by command. */
export function reference(commands: readonly Command[]): string {
  const pages = commands.map((command) => `## ${command.name}\n\n${fence(commandHelp(command))}`)
  return `${['# The command line', 'Made from the help by `pnpm run generate`.', fence(overview(commands)), ...pages].join('\n\n')}\n`
}

const fence = (text: string): string => `\`\`\`text\n${text.trimEnd()}\n\`\`\``
