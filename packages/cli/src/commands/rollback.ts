import {
  formatRollback,
  type GitRepository,
  type Kustomization,
  ROLLBACK_ANNOTATION,
} from '@setpoint/contracts'
import type { KubeClient } from '@setpoint/kube'
import { kustomization as kind } from '../cluster/kinds.ts'
import { getManaged, type ManagedObject, revisionOf, shortRevision } from '../cluster/managed-object.ts'
import { progress, waitUntilReady } from '../cluster/reconcile-and-wait.ts'
import type { Command, CommandContext } from '../command.ts'
import { CommandError, UsageError } from '../errors.ts'
import { commitOf, findBuild } from '../rollback/find-build.ts'
import { type Revert, revertCommand, revertCommits } from '../rollback/revert-commits.ts'

export const command: Command = {
  name: 'rollback',
  summary: 'Bring a Kustomization back to an earlier build at once, also while Git is down',
  usage: 'NAME REVISION',
  description: [
    'The build is one of those that `setpoint history` lists. It is held until a commit changes what the Kustomization',
    'builds, or until `setpoint resume kustomization NAME`. The `git revert` that makes it permanent is printed, or',
    'with --push made and pushed with your own git.',
  ].join('\n'),
  examples: [
    { does: 'Back to the build of a commit', line: 'setpoint rollback apps 1a2b3c4d' },
    { does: 'And revert in Git what came after it', line: 'setpoint rollback apps 1a2b3c4d --push' },
    { does: 'In another namespace', line: 'setpoint rollback apps 1a2b3c4d -n team-a' },
  ],
  flags: {
    push: { type: 'boolean', description: 'Revert the commits after REVISION in Git, and push' },
    'no-wait': { type: 'boolean', description: 'Do not wait for the result' },
  },
  exitCodes: { 0: 'the earlier build is in the cluster', 1: 'it is not', 2: 'wrong usage' },
  run,
}

async function run(context: CommandContext): Promise<number> {
  const [name, wanted, ...more] = context.args
  if (!name || !wanted || more.length > 0)
    throw new UsageError('give the name of a Kustomization and a revision')
  const kube = await context.kube()
  const key = { namespace: context.flags.textOf('namespace'), name }
  const before = (await getManaged(kube, kind, key)) as ManagedObject & Kustomization
  if (before.spec.suspend)
    throw new CommandError(`kustomization "${name}" is suspended; "setpoint resume" it first`)
  const rollback = findBuild(before, wanted)
  const annotations = { [ROLLBACK_ANNOTATION]: formatRollback(rollback) }
  await kube.mergePatch(kind.ref, key, { metadata: { annotations } }, { fieldManager: 'setpoint-cli' })
  progress(context, `kustomization "${name}" goes back to ${shortRevision(rollback.revision)}`)
  if (!context.flags.has('no-wait'))
    await waitUntilReady(context, { kind, key }, (object) => revisionOf(object) === rollback.revision)
  await makePermanent(context, kube, before, rollback.revision)
  return 0
}

/** Prints the revert, or makes it. The cluster is back already: a revert that fails is said, with what to do. */
async function makePermanent(
  context: CommandContext,
  kube: KubeClient,
  kustomization: Kustomization,
  goodRevision: string,
): Promise<void> {
  const revert = await revertOf(context, kube, kustomization, goodRevision)
  if (revert === undefined) {
    progress(
      context,
      'the source is no branch of a Git repository: make it permanent where its artifact is made',
    )
  } else if (context.flags.has('push')) {
    for (const subject of await revertCommits(revert)) progress(context, `reverted ${subject}`)
    progress(context, `pushed to ${revert.branch}; that commit ends the rollback`)
  } else {
    progress(context, `to make it permanent: ${revertCommand(revert)} && git push`)
  }
}

async function revertOf(
  context: CommandContext,
  kube: KubeClient,
  { metadata, spec, status }: Kustomization,
  goodRevision: string,
): Promise<Revert | undefined> {
  const { kind: sourceKind, name, namespace } = spec.sourceRef
  if (sourceKind !== 'GitRepository') return undefined
  const ref = { group: 'source.toolkit.fluxcd.io', kind: sourceKind }
  const source = (await kube.get(ref, { namespace: namespace ?? metadata.namespace, name })) as
    | GitRepository
    | undefined
  const [good, bad] = [commitOf(goodRevision), commitOf(status?.lastAttemptedRevision ?? '')]
  const { branch, tag, semver, commit } = source?.spec.ref ?? {}
  if (source === undefined || good === '' || bad === '' || tag || semver || commit) return undefined
  const path = (spec.path ?? '').replace(/^\.?\/*/, '')
  return { url: source.spec.url, branch: branch ?? 'master', good, bad, path, signal: context.signal }
}
