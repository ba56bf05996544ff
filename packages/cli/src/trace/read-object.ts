import type { KubeClient } from '@setpoint/kube'
import type { KubeObject } from '@setpoint/manifest'
import { CommandError, UsageError } from '../errors.ts'
import { findKind } from './find-kind.ts'

/** Reads `KIND/NAME` or `KIND NAME`. @throws UsageError */
export function readKindAndName(args: readonly string[]): { word: string; name: string } {
  const parts = args.length === 1 ? (args[0] ?? '').split('/') : [...args]
  const [word, name, ...more] = parts
  if (!word || !name || more.length > 0)
    throw new UsageError('give one object as KIND/NAME, such as deployment/web')
  return { word, name }
}

/** @throws CommandError when the cluster serves no such kind, or has no such object. */
export async function readObject(
  kube: KubeClient,
  word: string,
  { namespace, name }: { namespace: string; name: string },
): Promise<KubeObject> {
  const kind = await findKind(kube, word)
  const object = await kube.get(kind, kind.namespaced ? { namespace, name } : { name })
  if (object !== undefined) return object
  const where = kind.namespaced ? ` in namespace "${namespace}"; --namespace chooses another` : ''
  throw new CommandError(`${kind.kind} "${name}" not found${where}`)
}
