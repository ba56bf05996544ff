import type { KubeObject } from '@setpoint/manifest'
import type { ApplyContext, Task } from '../context.ts'
import { ownerKeyOf } from '../switches.ts'
import { declaredBy, lagsBehind, rivalOf } from './claims.ts'
import { awaitUnsure } from './hand-over.ts'

/**
 * The other Kustomization that an object's owner labels name, if it is there to stay and still declares the object.
 * Nothing is taken from it on old news: NATS is asked first whether it holds anything newer, and both have to be built from the
 * same revision of the same source, for of two revisions nobody here knows the newer one.
 * @throws Superseded when what NATS holds is about this very Kustomization, NotYet while the other one is being built
 */
export async function holderOf(
  context: ApplyContext,
  task: Task,
  id: string,
  live: KubeObject,
): Promise<string | undefined> {
  const owner = ownerKeyOf(live.metadata)
  if (owner === undefined) return undefined
  const other = rivalOf(context, task, owner)
  if (other === undefined) return undefined
  if ((await declaredBy(context, owner, other, true)).ids.has(id)) return owner
  if (!(await context.renderings.areCurrent())) return owner
  task.superseded.throwIfAborted()
  if ((await declaredBy(context, owner, other, true)).ids.has(id)) return owner
  // Only one that lags is waited for: another object's wait, whose bound is counted from its start, goes on.
  if (lagsBehind(context, task, owner, other)) awaitUnsure(context, task, [owner])
  return undefined
}
