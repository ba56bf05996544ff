import { type Command, type Flag, type Flags, globalFlags } from './command.ts'

/** What `setpoint --help` prints. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length))
  const rows = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`)
  return [
    'Setpoint holds a Kubernetes cluster to what Git says.',
    '',
    'Usage: setpoint COMMAND [ARGUMENTS] [FLAGS]',
    '',
    'Commands:',
    ...rows,
    '',
    'Flags of every command:',
    ...flagLines(globalFlags),
    '',
    'Exit codes: 0 done, 1 failed or not ready, 2 wrong usage.',
    'See "setpoint COMMAND --help" for examples.',
    '',
  ].join('\n')
}

/** What `setpoint COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const shared = Object.fromEntries(Object.entries(globalFlags).filter(([name]) => !(name in command.flags)))
  return [
    `${command.summary}.`,
    ...(command.description === undefined ? [] : ['', command.description]),
    '',
    `Usage: setpoint ${[command.name, command.usage].filter(Boolean).join(' ')} [FLAGS]`,
    '',
    'Examples:',
    ...command.examples.flatMap(({ does, line }) => [`  # ${does}`, `  ${line}`]),
    ...section('Flags:', flagLines(command.flags)),
    ...section('Flags of every command:', flagLines(shared)),
    ...section('Exit codes:', exitCodeLines(command)),
    '',
  ].join('\n')
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines]
}

function exitCodeLines(command: Command): string[] {
  return Object.entries(command.exitCodes ?? {}).map(([code, meaning]) => `  ${code}  ${meaning}`)
}

function flagLines(flags: Flags): string[] {
  const rows = Object.entries(flags).map(([name, flag]) => [flagName(name, flag), flagText(flag)] as const)
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)
}

/** `-n, --namespace NAME`. */
export function flagName(name: string, flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `
  return `${short}--${name}${flag.type === 'string' ? ` ${flag.placeholder ?? 'VALUE'}` : ''}`
}

/** The description with the default. */
export function flagText(flag: Flag): string {
  return flag.default === undefined ? flag.description : `${flag.description} (default ${flag.default})`
}
