import { type KubeClient, startInformer } from '@setpoint/kube'
import { CommandError } from '../errors.ts'
import type { ManagedKind } from './kinds.ts'
import type { ManagedObject } from './managed-object.ts'

/** What to wait for on one object. */
export interface ObjectWait<T> {
  kind: ManagedKind
  key: { namespace: string; name: string }
  /** The result once the object is as awaited, else undefined. */
  until(object: ManagedObject): T | undefined
  /** Called with each state of the object. */
  onChange?(object: ManagedObject): void
  timeoutMs: number
  signal: AbortSignal
  /** What was awaited, for the message when the time is up. */
  what: string
}

/**
 * Watches an object until it is as awaited.
 * @throws CommandError when the time is up or the object is deleted meanwhile.
 */
export async function waitForObject<T>(kube: KubeClient, wait: ObjectWait<T>): Promise<T> {
  const { kind, key, timeoutMs } = wait
  const name = `${kind.singular} "${key.name}"`
  const outcome = Promise.withResolvers<T>()
  const informer = startInformer(kube, {
    gvk: kind.ref,
    namespace: key.namespace,
    fieldSelector: `metadata.name=${key.name}`,
    signal: wait.signal,
    onUpsert(object) {
      wait.onChange?.(object as ManagedObject)
      const result = wait.until(object as ManagedObject)
      if (result !== undefined) outcome.resolve(result)
    },
    onDelete: () => outcome.reject(new CommandError(`${name} was deleted`)),
  })
  const timer = setTimeout(() => {
    outcome.reject(new CommandError(`${name} ${wait.what} within ${timeoutMs / 1_000} s`))
  }, timeoutMs)
  try {
    return await outcome.promise
  } finally {
    clearTimeout(timer)
    informer.stop()
  }
}
