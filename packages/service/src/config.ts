import { parseArgs } from 'node:util'

/** One setting of a service: the flag `--<name>`, or the environment variable SETPOINT_<NAME>. Flags win. */
export interface Setting<T> {
  description: string
  /** The text used when neither the flag nor the variable is given; undefined: the setting is optional. */
  default?: string
  /** Another environment variable, known to other programs too, that is read after its own. */
  variable?: string
  /** Has no flag: others on the machine can read a command line. */
  secret?: true
  /** Turns the text into a value. @throws Error saying what is wanted, such as `must be a number from 1 to 100`. */
  parse(text: string): T
}

export type Settings = Record<string, Setting<unknown>>

/** The values of a set of settings; one without a default may be undefined. */
export type Config<S extends Settings> = {
  [Name in keyof S]: S[Name] extends { default: string; parse(text: string): infer T }
    ? T
    : S[Name] extends Setting<infer T>
      ? T | undefined
      : never
}

/** The command line or the environment is unusable. The message lists every problem. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/**
 * Reads and checks every setting at start.
 * @throws ConfigError listing everything that is wrong, by flag.
 */
export function readConfig<S extends Settings>(
  settings: S,
  argv: string[],
  env: Record<string, string | undefined>,
): Config<S> {
  const given = readFlags(settings, argv)
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const found = find(name, setting, { given, env })
    if (found === undefined) continue
    try {
      config[name] = setting.parse(found.text)
    } catch (error) {
      problems.push(`${found.origin} ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  return config as Config<S>
}

/** The text of a setting, and where it stands. */
function find(
  name: string,
  { variable, default: fallback }: Setting<unknown>,
  { given, env }: Record<'given' | 'env', Record<string, string | undefined>>,
): { origin: string; text: string } | undefined {
  const own = variableOf(name)
  const places = [
    [`--${name}`, given[name]],
    [own, env[own]],
    [variable, variable === undefined ? undefined : env[variable] || undefined],
    [`default of --${name}`, fallback],
  ] as const
  for (const [origin = '', text] of places) if (text !== undefined) return { origin, text }
  return undefined
}

/** The text of --help. */
export function helpText(command: string, settings: Settings): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const fallback =
      setting.default === undefined ? '' : ` (default ${setting.default === '' ? 'empty' : setting.default})`
    const title = setting.secret ? name : `--${name}`
    const variables = [variableOf(name), setting.variable].filter((variable) => variable !== undefined)
    return `  ${title}\n      ${setting.description}${fallback}\n      environment: ${variables.join(', ')}`
  })
  return `Usage: ${command} [flags]\n\n${rows.join('\n')}\n`
}

export const variableOf = (name: string): string => `SETPOINT_${name.replaceAll('-', '_').toUpperCase()}`

function readFlags(settings: Settings, argv: string[]): Record<string, string | undefined> {
  const flags = Object.keys(settings).filter((name) => settings[name]?.secret !== true)
  const options = Object.fromEntries(flags.map((name) => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error))
  }
}

export const text = (value: string): string => value

export function oneOf<const T extends string>(...allowed: T[]): (text: string) => T {
  return (given) => {
    const found = allowed.find((candidate) => candidate === given)
    if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}, not "${given}"`)
    return found
  }
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (given) => {
    const number = Number(given)
    if (!Number.isInteger(number) || number < min || number > max || given.trim() === '')
      throw new Error(`must be a whole number from ${min} to ${max}, not "${given}"`)
    return number
  }
}

export function trueOrFalse(given: string): boolean {
  if (given !== 'true' && given !== 'false') throw new Error(`must be true or false, not "${given}"`)
  return given === 'true'
}

/** `:8080`, `127.0.0.1:8080` or `[::1]:8080`. An empty host listens on all addresses; port 0 takes a free one. */
export function listenAddress(given: string): { host: string; port: number } {
  const match = /^(?<host>\[[0-9a-fA-F:]+\]|[^:]*):(?<port>\d{1,5})$/.exec(given)
  const port = Number(match?.groups?.port)
  if (match === null || port > 65_535) throw new Error(`must be host:port or :port, not "${given}"`)
  const host = (match.groups?.host ?? '').replaceAll(/[[\]]/g, '')
  return { host: host === '' ? '0.0.0.0' : host, port }
}

/** `namespace/name`. */
export function namespacedName(given: string): { namespace: string; name: string } {
  const [namespace, name, ...rest] = given.split('/')
  if (!namespace || !name || rest.length > 0) throw new Error(`must be <namespace>/<name>, not "${given}"`)
  return { namespace, name }
}
