import type { KubeClient } from '@setpoint/kube'
import type { ParsedFlags } from './arguments.ts'
import type { Io } from './io.ts'

/** One flag of a command. */
export interface Flag {
  type: 'string' | 'boolean'
  /** One letter, without the dash. */
  short?: string
  /** A sentence without a full stop. */
  description: string
  /** What stands for the value in the help, such as DIR. */
  placeholder?: string
  default?: string
  /** The only values that are taken. */
  values?: readonly string[]
  /** How the value is checked. */
  format?: 'duration' | 'port'
}

export type Flags = Readonly<Record<string, Flag>>

export interface Example {
  /** What it does, in a few words. */
  does: string
  /** The command line, starting with `setpoint`. */
  line: string
}

/** What a command is given. */
export interface CommandContext {
  /** Arguments that are no flags. */
  args: string[]
  flags: ParsedFlags
  io: Io
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  now(): number
  /** The cluster that --kubeconfig and --context name; connected at the first call, closed at the end. */
  kube(): Promise<KubeClient>
}

/** One verb of the command line. */
export interface Command {
  name: string
  /** A sentence without a full stop. */
  summary: string
  /** What follows the name, such as `KIND NAME`. */
  usage: string
  /** More about it, after the summary. */
  description?: string
  examples: readonly Example[]
  /** Its own flags; they win over a global flag of the same name. */
  flags: Flags
  /** Values for shell completion of the first argument. */
  completes?: readonly string[]
  /** It takes its arguments as they are, flags included. */
  takesRawArguments?: boolean
  /** It ends by itself when the signal aborts; others are cut off. */
  stopsItself?: boolean
  /** Exit codes that mean something else than 0 done, 1 failed, 2 wrong usage. */
  exitCodes?: Readonly<Record<number, string>>
  /** Returns the exit code. */
  run(context: CommandContext): Promise<number>
}

/** The namespace that Flux's own commands take when none is given. */
export const DEFAULT_NAMESPACE = 'flux-system'

/** What every command takes. */
export const globalFlags: Flags = {
  kubeconfig: {
    type: 'string',
    placeholder: 'FILE',
    description: 'Kubeconfig to use; without it KUBECONFIG, else ~/.kube/config',
  },
  context: { type: 'string', placeholder: 'NAME', description: 'Context of the kubeconfig' },
  namespace: {
    type: 'string',
    short: 'n',
    placeholder: 'NAME',
    default: DEFAULT_NAMESPACE,
    description: 'Namespace of the object; the default is that of the flux CLI',
  },
  timeout: {
    type: 'string',
    placeholder: 'DURATION',
    default: '5m',
    format: 'duration',
    description: 'How long the command may take',
  },
  help: { type: 'boolean', short: 'h', description: 'Show help' },
}

/** `-o`, for commands that print objects. */
export const outputFlag = (...values: string[]): Flag => ({
  type: 'string',
  short: 'o',
  placeholder: values.join('|').toUpperCase() === '' ? 'FORMAT' : values.join('|'),
  values,
  description: 'Print in this format instead of a table',
})
