import type { ImageUpdateAutomation } from '@setpoint/contracts'
import { type Target, targetOf as targetIn } from '@setpoint/image-update'
import type { ImageContext } from '../context.ts'

/** Where an automation reads and writes. @throws UpdateError when there is nothing that can be written to. */
export function targetOf(
  { sources, allowCrossNamespace }: ImageContext,
  automation: ImageUpdateAutomation,
): Target {
  return targetIn(automation, { get: (key) => sources.get(key), allowCrossNamespace })
}

/** The key of the writer that an automation belongs to; its own where it has none. */
export function writerOf(context: ImageContext, automation: ImageUpdateAutomation): string {
  try {
    return targetOf(context, automation).writer
  } catch {
    return `automation ${automation.metadata.namespace}/${automation.metadata.name}`
  }
}
