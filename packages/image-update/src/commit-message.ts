import type { ImageUpdateAutomation } from '@setpoint/contracts'
import { compileTemplate, type Template, TemplateError, type Value } from '@setpoint/go-template'
import type { SetterObject } from '@setpoint/image-setters'
import { stalled, UpdateError } from './errors.ts'
import type { FileChange } from './plan.ts'

const DEFAULT_MESSAGE = 'Update from image update automation'
const REMOVED = /\.Updated\b/

/** @throws UpdateError when the template cannot be read, or uses what Flux has removed. */
export function compileMessage(template = ''): Template {
  if (REMOVED.test(template))
    throw stalled(
      'RemovedTemplateField',
      'spec.git.commit.messageTemplate uses .Updated, which was removed; use .Changed',
    )
  try {
    return compileTemplate(template === '' ? DEFAULT_MESSAGE : template)
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause
    throw stalled('UpdateFailed', `spec.git.commit.messageTemplate: ${cause.message}`, { cause })
  }
}

/** The message of the commit that makes these changes. @throws UpdateError when the template fails on them */
export function commitMessage(
  { metadata, spec }: ImageUpdateAutomation,
  changes: readonly FileChange[],
): string {
  const { messageTemplate, messageTemplateValues = {} } = spec.git?.commit ?? {}
  const data = {
    AutomationObject: { Name: metadata.name, Namespace: metadata.namespace ?? '' },
    Values: new Map<Value, Value>(Object.entries(messageTemplateValues)),
    Changed: {
      FileChanges: byFile(changes),
      Objects: byObject(changes),
      Changes: unique(changes.map(toValue)),
    },
  }
  try {
    return compileMessage(messageTemplate).render(data)
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause
    throw new UpdateError('UpdateFailed', `spec.git.commit.messageTemplate: ${cause.message}`, { cause })
  }
}

function byFile(changes: readonly FileChange[]): ReadonlyMap<Value, Value> {
  const files = Map.groupBy(changes, ({ path }) => path)
  return new Map([...files].map(([path, inFile]) => [path, byObject(inFile)]))
}

function byObject(changes: readonly FileChange[]): ReadonlyMap<Value, Value> {
  const objects = Map.groupBy(changes, ({ object }) => JSON.stringify(object))
  return new Map(
    [...objects.values()].map((ofObject) => [identity(ofObject[0]?.object), ofObject.map(toValue)]),
  )
}

function identity(object: SetterObject | undefined): Value {
  const { apiVersion = '', kind = '', namespace = '', name = '' } = object ?? {}
  return { APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name }
}

function toValue({ oldValue, newValue, setter }: FileChange) {
  return { OldValue: oldValue, NewValue: newValue, Setter: setter }
}

/** Each change once, however many places it touches. */
function unique<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
