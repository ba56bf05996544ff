import type { Kustomization } from '@setpoint/contracts'
import { kindWords, kustomization, readReconciledTarget, sourceKinds } from '../cluster/kinds.ts'
import { getManaged, revisionOf } from '../cluster/managed-object.ts'
import { reconcileAndWait } from '../cluster/reconcile-and-wait.ts'
import type { Command, CommandContext } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'

export const command: Command = {
  name: 'reconcile',
  summary: 'Reconcile a source or a Kustomization now, and wait for the result',
  usage: 'KIND NAME',
  description:
    'KIND is kustomization (ks), gitrepository (source git), ocirepository (source oci) or bucket; KIND/NAME is taken too.',
  examples: [
    { does: 'Fetch a repository now', line: 'setpoint reconcile source git podinfo' },
    {
      does: 'Fetch the source, then apply what it holds',
      line: 'setpoint reconcile kustomization apps --with-source',
    },
    {
      does: 'See each change of its conditions on the way',
      line: 'setpoint reconcile ks/apps -n team-a --watch --timeout 1m',
    },
  ],
  flags: {
    'with-source': { type: 'boolean', description: 'Reconcile the source of the Kustomization first' },
    watch: { type: 'boolean', short: 'w', description: 'Print every change of its conditions while waiting' },
    'no-wait': { type: 'boolean', description: 'Ask for it and do not wait for the result' },
  },
  completes: kindWords,
  exitCodes: { 0: 'ready', 1: 'not ready, or not within the timeout', 2: 'wrong usage' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const { kind, name } = readReconciledTarget(context.args)
  const namespace = context.flags.textOf('namespace')
  if (!context.flags.has('with-source')) {
    await reconcileAndWait(context, { kind, key: { namespace, name } })
    return 0
  }
  if (kind !== kustomization) throw new UsageError('--with-source is for Kustomizations')
  const revision = await reconcileSource(context, { namespace, name })
  await reconcileAndWait(context, { kind, key: { namespace, name }, revision })
  return 0
}

/** Returns the revision that the source holds then; '' when it was not waited for. */
async function reconcileSource(
  context: CommandContext,
  key: { namespace: string; name: string },
): Promise<string> {
  const kube = await context.kube()
  const object = (await getManaged(kube, kustomization, key)) as unknown as Kustomization
  const { sourceRef } = object.spec
  const kind = sourceKinds.find(({ ref }) => ref.kind === sourceRef.kind)
  if (kind === undefined)
    throw new CommandError(`the source is of kind ${sourceRef.kind}, which Setpoint does not reconcile`)
  const sourceKey = { namespace: sourceRef.namespace ?? key.namespace, name: sourceRef.name }
  const source = await reconcileAndWait(context, { kind, key: sourceKey })
  return source === undefined ? '' : revisionOf(source)
}
