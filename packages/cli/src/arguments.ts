import { parseArgs } from 'node:util'
import { DurationError, parseDuration } from '@setpoint/contracts'
import { type Command, type Flags, globalFlags } from './command.ts'
import { UsageError } from './errors.ts'

/** The flags that were given, with defaults filled in. */
export class ParsedFlags {
  private readonly values: Readonly<Record<string, string | boolean | undefined>>
  private readonly explicit: ReadonlySet<string>

  constructor(values: Record<string, string | boolean | undefined>, explicit: ReadonlySet<string>) {
    this.values = values
    this.explicit = explicit
  }

  /** True when the flag stands on the command line. */
  given(name: string): boolean {
    return this.explicit.has(name)
  }

  /** True when a boolean flag is set. */
  has(name: string): boolean {
    return this.values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** The text of a flag that has a default. */
  textOf(name: string): string {
    return this.text(name) ?? ''
  }

  /** Milliseconds. */
  durationMs(name: string): number {
    return parseDuration(this.textOf(name))
  }

  number(name: string): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : Number(value)
  }
}

/** The command's name and the rest of the line; flags may stand before the name. */
export function splitCommand(argv: readonly string[]): { name: string | undefined; rest: string[] } {
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? ''
    if (!argument.startsWith('-'))
      return { name: argument, rest: [...argv.slice(0, index), ...argv.slice(index + 1)] }
    if (takesNext(argument)) index++
  }
  return { name: undefined, rest: [...argv] }
}

/** The flags and other arguments of a command. @throws UsageError naming what is wrong. */
export function parseCommandLine(command: Command, rest: string[]): { flags: ParsedFlags; args: string[] } {
  const flags = flagsOf(command)
  const { values, positionals } = parse(command, rest, flags)
  const explicit = new Set(Object.keys(values))
  const filled: Record<string, string | boolean | undefined> = { ...values }
  for (const [name, flag] of Object.entries(flags)) {
    filled[name] ??= flag.default
    check(name, flags, filled[name])
  }
  return { flags: new ParsedFlags(filled, explicit), args: positionals }
}

/** Every flag that a command takes. */
export function flagsOf(command: Command): Flags {
  return { ...globalFlags, ...command.flags }
}

function parse(command: Command, args: string[], flags: Flags) {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.type, ...(flag.short === undefined ? {} : { short: flag.short }) },
    ]),
  )
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true }) as {
      values: Record<string, string | boolean>
      positionals: string[]
    }
  } catch (error) {
    throw new UsageError(explain(command, error))
  }
}

/** Node's own words, without its advice about positional arguments. */
function explain(command: Command, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const unknown = /^Unknown option '(?<flag>[^']+)'/.exec(message)?.groups?.flag
  if (unknown !== undefined) return `unknown flag ${unknown} of "setpoint ${command.name}"`
  return message.replace(/^Option /, 'flag ').split('\n')[0] ?? message
}

function check(name: string, flags: Flags, value: string | boolean | undefined): void {
  const flag = flags[name]
  if (flag === undefined || typeof value !== 'string') return
  if (flag.values !== undefined && !flag.values.includes(value))
    throw new UsageError(`--${name} must be one of ${flag.values.join(', ')}, not "${value}"`)
  if (flag.format === 'duration') checkDuration(name, value)
  if (flag.format === 'port' && !(/^\d{1,5}$/.test(value) && Number(value) <= 65_535))
    throw new UsageError(`--${name} must be a port number, not "${value}"`)
}

function checkDuration(name: string, value: string): void {
  try {
    parseDuration(value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    throw new UsageError(`--${name}: ${error.message}`)
  }
}

function takesNext(argument: string): boolean {
  if (argument.includes('=')) return false
  return Object.entries(globalFlags).some(
    ([name, flag]) => flag.type === 'string' && (argument === `--${name}` || argument === `-${flag.short}`),
  )
}
