import { findCondition } from '@setpoint/conditions'
import { kindWords, readTarget } from '../cluster/kinds.ts'
import { progress, waitUntilReady } from '../cluster/reconcile-and-wait.ts'
import { setSuspend, targetsOf } from '../cluster/set-suspend.ts'
import type { Command, CommandContext } from '../command.ts'
import { messageOf } from '../errors.ts'

export const command: Command = {
  name: 'resume',
  summary: 'Reconcile a suspended or rolled back object again, and wait for the result',
  usage: 'KIND NAME...',
  examples: [
    { does: 'Go on with one Kustomization', line: 'setpoint resume kustomization apps' },
    { does: 'Fetch a repository again', line: 'setpoint resume source git podinfo' },
    {
      does: 'Resume all Kustomizations of a namespace, without waiting',
      line: 'setpoint resume ks --all --no-wait -n team-a',
    },
  ],
  flags: {
    all: { type: 'boolean', description: 'All objects of the kind in the namespace' },
    'no-wait': { type: 'boolean', description: 'Do not wait for the result' },
  },
  completes: kindWords,
  exitCodes: { 0: 'all are ready', 1: 'one is not ready, or not within the timeout', 2: 'wrong usage' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const target = readTarget(context.args)
  const keys = await targetsOf(context, target)
  const generations = new Map<string, number>()
  for (const key of keys) {
    const object = await setSuspend(context, target.kind, key, false)
    generations.set(key.name, object.metadata.generation ?? 0)
    progress(context, `${target.kind.singular} "${key.name}" is resumed`)
  }
  if (context.flags.has('no-wait')) return 0
  const results = await Promise.allSettled(
    keys.map((key) =>
      waitUntilReady(
        context,
        { kind: target.kind, key },
        ({ status }) =>
          (status?.observedGeneration ?? -1) >= (generations.get(key.name) ?? 0) &&
          findCondition(status?.conditions, 'RolledBack') === undefined,
      ),
    ),
  )
  const failures = results.filter((result) => result.status === 'rejected')
  for (const { reason } of failures) progress(context, `setpoint resume: ${messageOf(reason)}`)
  return failures.length === 0 ? 0 : 1
}
