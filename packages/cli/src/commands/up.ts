import type { Command, CommandContext } from '../command.ts'
import { UsageError } from '../errors.ts'
import type { UpOptions, UpWatcher } from '../up/run-up.ts'
import type { UpState } from '../up/state-file.ts'

/** Part of the CLI: see docs/cli.md. */
export const command: Command = {
  name: 'up',
  summary: 'Run the whole of Setpoint against a cluster, from this machine',
  usage: '',
  description: [
    'Installs or updates the CRDs, makes the namespace, starts a nats-server (unless --nats names one) and the',
    'services, starts again what dies, and stops everything on Ctrl-C. Nothing else in the cluster is touched.',
    'What the services warn of is printed; with --verbose all that they say. With --replicas several processes of',
    'each service share its work.',
  ].join('\n'),
  examples: [
    { does: 'Hold the cluster of the current context to Git', line: 'setpoint up' },
    {
      does: 'Another cluster, and a NATS that runs already',
      line: 'setpoint up --kubeconfig prod.yaml --nats nats://127.0.0.1:4222',
    },
    {
      does: 'Three processes of each service, which share the work',
      line: 'setpoint up --replicas 3',
    },
    {
      does: 'All services in one process, everything they say on the terminal',
      line: 'setpoint up --single-process --verbose',
    },
  ],
  flags: {
    nats: {
      type: 'string',
      placeholder: 'URL',
      description: 'Use this NATS with JetStream instead of starting one',
    },
    replicas: {
      type: 'string',
      placeholder: 'N',
      default: '1',
      values: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
      description: 'Processes of each service, which share its work',
    },
    'single-process': { type: 'boolean', description: 'Run the services as threads of one process' },
    namespace: {
      type: 'string',
      short: 'n',
      placeholder: 'NAME',
      default: 'setpoint-system',
      description: 'Namespace of Setpoint’s own objects',
    },
    data: {
      type: 'string',
      placeholder: 'DIR',
      description:
        'Where caches, the NATS store and the state file are kept; a per-user cache directory by default',
    },
    'http-base-port': {
      type: 'string',
      format: 'port',
      placeholder: 'PORT',
      description:
        'First of the ports for health and metrics, artifacts and NATS (six of them without --replicas); free ones by default',
    },
    'log-dir': {
      type: 'string',
      placeholder: 'DIR',
      description: 'Also write the whole log of each part to a file here',
    },
    verbose: { type: 'boolean', short: 'v', description: 'Print all that the services log' },
    output: {
      type: 'string',
      short: 'o',
      placeholder: 'json',
      values: ['json'],
      description: 'Say as JSON that everything is ready: process ids, ports, the NATS URL',
    },
  },
  stopsItself: true,
  run,
}

async function run(context: CommandContext): Promise<number> {
  if (context.args.length > 0) throw new UsageError(`up takes no arguments, not "${context.args.join(' ')}"`)
  if (context.flags.has('single-process') && context.flags.number('replicas') !== 1)
    throw new UsageError('--replicas needs processes of their own: leave out --single-process')
  const { runUp } = await import('../up/run-up.ts')
  await runUp(optionsOf(context), await context.kube(), watcherOf(context), context)
  return 0
}

function optionsOf({ flags }: CommandContext): UpOptions {
  return {
    kubeconfig: flags.text('kubeconfig'),
    context: flags.text('context'),
    natsUrl: flags.text('nats'),
    namespace: flags.textOf('namespace'),
    dataDirectory: flags.text('data'),
    logDirectory: flags.text('log-dir'),
    httpBasePort: flags.number('http-base-port'),
    replicas: flags.number('replicas') ?? 1,
    singleProcess: flags.has('single-process'),
    logLevel: 'info',
  }
}

function watcherOf({ flags, io, now }: CommandContext): UpWatcher {
  const print = (line: string) => io.stderr.write(`${clock(now())} ${line}\n`)
  return {
    tell: (line) => print(line),
    log(part, severity, text) {
      if (severity === 'info' && !flags.has('verbose')) return
      print(`${part.padEnd(16)} ${severity === 'info' ? '' : `${severity}: `}${text}`)
    },
    ready(state) {
      io.stdout.write(
        flags.text('output') === 'json'
          ? `${JSON.stringify(state)}\n`
          : readyLine(state, flags.has('verbose')),
      )
    },
  }
}

function readyLine(state: UpState, verbose: boolean): string {
  const parts = [...state.services, { name: 'nats-server', pid: state.nats.pid }]
  const names = parts.map(({ name, pid }) => (verbose && pid !== undefined ? `${name} (${pid})` : name))
  return `setpoint is up: ${state.server}, ${names.join(', ')}, bus ${state.nats.url}. Ctrl-C stops it.\n`
}

function clock(nowMs: number): string {
  return new Date(nowMs).toTimeString().slice(0, 8)
}
