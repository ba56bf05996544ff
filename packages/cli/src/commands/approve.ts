import { findCondition } from '@setpoint/conditions'
import { CONDITION, PRUNE_APPROVE_ANNOTATION, tokenToApprove } from '@setpoint/contracts'
import { kustomization, readOneTarget } from '../cluster/kinds.ts'
import { getManaged } from '../cluster/managed-object.ts'
import { progress } from '../cluster/reconcile-and-wait.ts'
import type { Command, CommandContext } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'

export const command: Command = {
  name: 'approve',
  summary: 'Approve the deletions that a Kustomization waits with',
  usage: 'kustomization NAME [--token TOKEN]',
  description: [
    'A Kustomization with the condition PruneBlocked lists what it would delete. This approves exactly that list;',
    'when the list changes meanwhile, it waits again. "setpoint diff" shows beforehand what a change would delete.',
  ].join('\n'),
  examples: [
    { does: 'Delete what is no longer in Git', line: 'setpoint approve kustomization apps' },
    {
      does: 'Only if the list is still the one that you have seen',
      line: 'setpoint approve ks apps --token 3f2a9c0d1e4b5a69',
    },
  ],
  flags: {
    token: {
      type: 'string',
      placeholder: 'TOKEN',
      description: 'The token that the condition showed; without it, that of the present list',
    },
  },
  completes: ['kustomization'],
  run,
}

async function run(context: CommandContext): Promise<number> {
  const target = readOneTarget(context.args)
  if (target.kind !== kustomization) throw new UsageError('only Kustomizations prune')
  const kube = await context.kube()
  const key = { namespace: context.flags.textOf('namespace'), name: target.name }
  const object = await getManaged(kube, kustomization, key)
  const message = findCondition(object.status?.conditions, CONDITION.pruneBlocked)?.message
  const token = message === undefined ? undefined : tokenToApprove(message)
  if (message === undefined || token === undefined)
    throw new CommandError(`kustomization "${key.name}" waits for no approval`)
  const wanted = context.flags.text('token')
  if (wanted !== undefined && wanted !== token)
    throw new CommandError(`the list has changed; it is approved by --token ${token} now:\n${message}`)
  await kube.mergePatch(
    kustomization.ref,
    key,
    { metadata: { annotations: { [PRUNE_APPROVE_ANNOTATION]: token } } },
    { fieldManager: 'setpoint-cli' },
  )
  progress(context, `approved: ${message}`)
  return 0
}
