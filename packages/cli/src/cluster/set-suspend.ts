import { ROLLBACK_ANNOTATION } from '@setpoint/contracts'
import type { CommandContext } from '../command.ts'
import { UsageError } from '../errors.ts'
import type { ManagedKind, Target } from './kinds.ts'
import { getManaged, listManaged, type ManagedObject } from './managed-object.ts'

interface Key {
  namespace: string
  name: string
}

/** The objects that `suspend` and `resume` are about: those named, or with --all those of the namespace. */
export async function targetsOf(context: CommandContext, { kind, names }: Target): Promise<Key[]> {
  const namespace = context.flags.textOf('namespace')
  const all = context.flags.has('all')
  if (all === names.length > 0) throw new UsageError(`give the name of a ${kind.singular}, or --all`)
  if (!all) return names.map((name) => ({ namespace, name }))
  const objects = await listManaged(await context.kube(), kind, namespace)
  return objects.map(({ metadata }) => ({ namespace, name: metadata.name }))
}

/** Writes spec.suspend; an object that goes on is not held by a rollback any more. @throws CommandError when there is no such object. */
export async function setSuspend(
  context: CommandContext,
  kind: ManagedKind,
  key: Key,
  suspend: boolean,
): Promise<ManagedObject> {
  const kube = await context.kube()
  await getManaged(kube, kind, key)
  const patched = await kube.mergePatch(
    kind.ref,
    key,
    suspend
      ? { spec: { suspend } }
      : { spec: { suspend }, metadata: { annotations: { [ROLLBACK_ANNOTATION]: null } } },
    { fieldManager: 'setpoint-cli' },
  )
  return patched as ManagedObject
}
