import type { HistorySnapshot, Kustomization } from '@setpoint/contracts'
import { kustomization, readOneTarget } from '../cluster/kinds.ts'
import { getManaged, shortRevision } from '../cluster/managed-object.ts'
import { type Command, type CommandContext, outputFlag } from '../command.ts'
import { UsageError } from '../errors.ts'
import { age } from '../output/age.ts'
import { printStructured } from '../output/structured.ts'
import { type Column, printTable } from '../output/table.ts'

export const command: Command = {
  name: 'history',
  summary: 'Show what a Kustomization applied lately, newest first',
  usage: 'NAME',
  description:
    'The last five different builds: their revision, how they ended, and how often they were applied.',
  examples: [
    { does: 'What was applied', line: 'setpoint history apps' },
    { does: 'In another namespace, for a script', line: 'setpoint history apps -n team-a -o json' },
  ],
  flags: { output: outputFlag('json', 'yaml') },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const name = readName(context.args)
  const namespace = context.flags.textOf('namespace')
  const object = await getManaged(await context.kube(), kustomization, { namespace, name })
  const history = (object as unknown as Kustomization).status?.history ?? []
  const output = context.flags.text('output')
  if (output !== undefined) context.io.stdout.write(printStructured(history, output))
  else if (history.length === 0) context.io.stderr.write(`kustomization "${name}" has applied nothing yet\n`)
  else context.io.stdout.write(printTable(columns(context.now()), history, context.io.colour))
  return 0
}

/** A name, or `kustomization NAME` and `ks/NAME` for those who are used to it. */
export function readName(args: readonly string[]): string {
  const [first, ...more] = args
  if (first === undefined) throw new UsageError('give the name of the Kustomization')
  if (more.length === 0 && !first.includes('/')) return first
  const target = readOneTarget(args)
  if (target.kind !== kustomization) throw new UsageError('only Kustomizations have this')
  return target.name
}

function columns(nowMs: number): Column<HistorySnapshot>[] {
  return [
    { heading: 'REVISION', cell: ({ metadata }) => shortRevision(metadata?.revision ?? '') },
    {
      heading: 'STATUS',
      cell: (snapshot) => snapshot.lastReconciledStatus,
      paint: ({ lastReconciledStatus }) =>
        lastReconciledStatus === 'ReconciliationSucceeded' ? 'green' : 'red',
    },
    { heading: 'LAST', cell: ({ lastReconciled }) => `${age(lastReconciled, nowMs)} ago` },
    { heading: 'FIRST', cell: ({ firstReconciled }) => `${age(firstReconciled, nowMs)} ago` },
    { heading: 'DURATION', cell: (snapshot) => snapshot.lastReconciledDuration },
    { heading: 'TIMES', cell: ({ totalReconciliations }) => String(totalReconciliations) },
    { heading: 'DIGEST', cell: ({ digest }) => digest.replace(/^(sha256:.{12}).*$/, '$1') },
  ]
}
