import { connectKube, KubeApiError, type KubeClient } from '@setpoint/kube'
import { parseCommandLine, splitCommand } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError, messageOf, UsageError } from './errors.ts'
import { commandHelp, overview } from './help.ts'
import type { Io } from './io.ts'
import { commands, findCommand } from './registry.ts'

/** Cut off by Ctrl-C, as shells count it. */
const INTERRUPTED = 130

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws. */
export async function runCommandLine(argv: string[], io: Io, signal: AbortSignal): Promise<number> {
  const { name, rest } = splitCommand(argv)
  if (name === undefined || name === 'help') return help(name === undefined ? [] : rest, argv, io)
  const command = findCommand(name)
  if (command === undefined) return wrongUsage(io, `unknown command "${name}"`, '')
  if (rest.some((argument) => argument === '--help' || argument === '-h')) {
    io.stdout.write(commandHelp(command))
    return 0
  }
  try {
    return await run(command, rest, io, signal)
  } catch (error) {
    return report(error, command, io)
  }
}

function help(rest: string[], argv: string[], io: Io): number {
  const asked = rest.find((argument) => !argument.startsWith('-'))
  const command = asked === undefined ? undefined : findCommand(asked)
  if (asked !== undefined && command === undefined) return wrongUsage(io, `unknown command "${asked}"`, '')
  const wanted = argv.length === 0 ? io.stderr : io.stdout
  wanted.write(command === undefined ? overview(commands) : commandHelp(command))
  return argv.length === 0 ? 2 : 0
}

async function run(command: Command, rest: string[], io: Io, signal: AbortSignal): Promise<number> {
  await using cleanUp = new AsyncDisposableStack()
  const { flags, args } = parseCommandLine(
    command.takesRawArguments ? { ...command, flags: {} } : command,
    command.takesRawArguments ? [] : rest,
  )
  let client: Promise<KubeClient> | undefined
  const context: CommandContext = {
    args: command.takesRawArguments ? rest : args,
    flags,
    io,
    signal,
    now: Date.now,
    kube: () => {
      client ??= connectKube({
        kubeconfig: flags.text('kubeconfig'),
        context: flags.text('context'),
        userAgent: 'setpoint-cli',
      }).then((connected) => cleanUp.use(connected))
      return client
    },
  }
  // Awaited here, for the connection is closed when this function returns.
  if (command.stopsItself) return await command.run(context)
  return await Promise.race([command.run(context), interruption(signal)])
}

function interruption(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(INTERRUPTED), { once: true })
  })
}

function report(error: unknown, command: Command, io: Io): number {
  if (error instanceof UsageError) return wrongUsage(io, error.message, ` ${command.name}`)
  io.stderr.write(`setpoint ${command.name}: ${messageOf(error)}${advice(error)}\n`)
  if (error instanceof CommandError) return error.exitCode
  return command.exitCodes?.[2] === undefined ? 1 : 2
}

function advice(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if (error.name === 'NoMatchError') return '\nThe CRDs are installed by `setpoint up` or the Helm chart.'
  if (error.name === 'KubeUnreachableError')
    return '\nIs the cluster up? --kubeconfig and --context choose it.'
  if (error instanceof KubeApiError && error.code === 403)
    return '\nThe user of the kubeconfig lacks this permission.'
  return ''
}

function wrongUsage(io: Io, message: string, commandName: string): number {
  io.stderr.write(`setpoint${commandName}: ${message}\nSee "setpoint${commandName} --help".\n`)
  return 2
}
