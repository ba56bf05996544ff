import { type Command, type CommandContext, outputFlag } from '../command.ts'
import type { Finding } from '../doctor/check.ts'
import { examine } from '../doctor/examine.ts'
import { printStructured } from '../output/structured.ts'
import { type Paint, paint } from '../output/table.ts'
import { defaultDataDirectory, isAlive, readState } from '../up/state-file.ts'

export const command: Command = {
  name: 'doctor',
  summary: 'Check that every part of Setpoint works, and say what to do where one does not',
  usage: '',
  description: [
    'Looks at the API server, the CRDs, every service (those of `setpoint up` on this machine, else the Pods of the',
    'chart), their queues, NATS with its streams and their readers, and whether every object is looked after.',
  ].join('\n'),
  examples: [
    { does: 'Look at everything', line: 'setpoint doctor' },
    { does: 'For a script or a dashboard', line: 'setpoint doctor -o json' },
    { does: 'An `up` with its own data directory', line: 'setpoint doctor --data /var/lib/setpoint' },
  ],
  flags: {
    namespace: {
      type: 'string',
      short: 'n',
      placeholder: 'NAME',
      default: 'setpoint-system',
      description: 'Namespace of Setpoint’s own objects',
    },
    nats: {
      type: 'string',
      placeholder: 'URL',
      description: 'NATS to look at; by default that of `setpoint up`',
    },
    data: { type: 'string', placeholder: 'DIR', description: 'The --data of `setpoint up`, when it has one' },
    output: outputFlag('json', 'yaml'),
  },
  exitCodes: { 0: 'all is well, or there are warnings only', 1: 'something does not work', 2: 'wrong usage' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const { flags, io } = context
  const kube = await context.kube()
  const state = await readState(flags.text('data') ?? defaultDataDirectory(kube.server))
  const findings = await examine({
    kube,
    state: state !== undefined && isAlive(state.pid) ? state : undefined,
    namespace: flags.textOf('namespace'),
    natsUrl: flags.text('nats'),
    nowMs: context.now(),
  })
  const output = flags.text('output')
  io.stdout.write(
    output === undefined ? printFindings(findings, io.colour) : printStructured(findings, output),
  )
  return findings.some(({ result }) => result === 'failed') ? 1 : 0
}

const MARKS: Record<Finding['result'], readonly [mark: string, colour: Paint]> = {
  ok: ['ok', 'green'],
  warning: ['warning', 'yellow'],
  failed: ['FAILED', 'red'],
}

/** One line for each finding, with the advice below it. */
export function printFindings(findings: readonly Finding[], colour: boolean): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.map(({ check, result, detail, advice }) => {
    const [mark, tint] = MARKS[result]
    const line = `${paint(mark.padEnd(7), tint, colour)}  ${check.padEnd(width)}  ${detail}`
    return advice === undefined ? line : `${line}\n${' '.repeat(9)}→ ${advice}`
  })
  return `${lines.join('\n')}\n`
}
