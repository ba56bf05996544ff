import { kindWords, readTarget } from '../cluster/kinds.ts'
import { progress } from '../cluster/reconcile-and-wait.ts'
import { setSuspend, targetsOf } from '../cluster/set-suspend.ts'
import type { Command, CommandContext } from '../command.ts'

export const command: Command = {
  name: 'suspend',
  summary: 'Stop reconciling a source or a Kustomization until it is resumed',
  usage: 'KIND NAME...',
  description: 'What is in the cluster stays as it is; edits made there are not undone meanwhile.',
  examples: [
    { does: 'Hold one Kustomization', line: 'setpoint suspend kustomization apps' },
    { does: 'Stop fetching a repository', line: 'setpoint suspend source git podinfo' },
    { does: 'Hold all Kustomizations of a namespace', line: 'setpoint suspend ks --all -n team-a' },
  ],
  flags: { all: { type: 'boolean', description: 'All objects of the kind in the namespace' } },
  completes: kindWords,
  run,
}

async function run(context: CommandContext): Promise<number> {
  const target = readTarget(context.args)
  for (const key of await targetsOf(context, target)) {
    await setSuspend(context, target.kind, key, true)
    progress(context, `${target.kind.singular} "${key.name}" is suspended`)
  }
  return 0
}
