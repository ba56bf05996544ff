import type { Kustomization } from '@setpoint/contracts'
import { kustomization, readOneTarget } from '../cluster/kinds.ts'
import { getManaged } from '../cluster/managed-object.ts'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { diffKustomization, type ObjectChange } from '../diff/diff-kustomization.ts'
import { CommandError, messageOf, UsageError } from '../errors.ts'
import { printStructured } from '../output/structured.ts'
import { paint } from '../output/table.ts'

export const command: Command = {
  name: 'diff',
  summary: 'Show what applying a Kustomization would change in the cluster',
  usage: 'kustomization NAME [--path DIR]',
  description:
    'Builds the files as the services do and asks the API server by dry runs; nothing is written. Encrypted files are decrypted with the keys of spec.decryption, which you must be allowed to read. Values of Secrets, and of objects with decrypted values, are not shown.',
  examples: [
    {
      does: 'What the files of a working copy would change',
      line: 'setpoint diff kustomization apps --path ./apps',
    },
    { does: 'What has drifted from the artifact in the cluster', line: 'setpoint diff kustomization apps' },
  ],
  flags: {
    path: {
      type: 'string',
      placeholder: 'DIR',
      description: 'Directory that stands for spec.path; without it, the artifact that the cluster has',
    },
    output: outputFlag('json', 'yaml'),
  },
  completes: ['kustomization'],
  exitCodes: { 0: 'nothing would change', 1: 'something would change', 2: 'it failed' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const target = readOneTarget(context.args)
  if (target.kind !== kustomization) throw new UsageError('only Kustomizations can be compared')
  const changes = await compare(context, target.name).catch((error: unknown) => {
    throw error instanceof CommandError
      ? error
      : new CommandError(messageOf(error), { cause: error, exitCode: 2 })
  })
  const output = context.flags.text('output')
  if (output !== undefined) context.io.stdout.write(printStructured(changes, output))
  else for (const change of changes) context.io.stdout.write(describe(change, context.io.colour))
  return changes.length === 0 ? 0 : 1
}

async function compare(context: CommandContext, name: string): Promise<ObjectChange[]> {
  const kube = await context.kube()
  const object = await getManaged(kube, kustomization, { namespace: context.flags.textOf('namespace'), name })
  const options = { kube, path: context.flags.text('path'), signal: context.signal }
  return diffKustomization(object as unknown as Kustomization, options)
}

const COLOURS = { created: 'green', configured: 'yellow', deleted: 'red', refused: 'red' } as const

function describe({ object, action, fields, message }: ObjectChange, colour: boolean): string {
  const lines = [
    `${object} ${paint(action, COLOURS[action], colour)}${message === undefined ? '' : `: ${message}`}`,
  ]
  for (const { path, before, after } of fields) {
    lines.push(`  ${path}`)
    if (before !== undefined) lines.push(paint(`    - ${show(before)}`, 'red', colour))
    if (after !== undefined) lines.push(paint(`    + ${show(after)}`, 'green', colour))
  }
  return `${lines.join('\n')}\n`
}

const show = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
