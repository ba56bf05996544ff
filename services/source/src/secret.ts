import type { SourceContext, Task } from './context.ts'
import { SourceFailure } from './failure.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }

/** The values of a Secret. None of them is ever part of a message. */
export interface SecretValues {
  /** `namespace/name`, for messages. */
  name: string
  /** All keys, sorted. */
  keys: string[]
  /** The text of a key, or of the first one that is given; undefined for a missing or empty one. */
  get(...keys: string[]): string | undefined
}

/** A Secret of the task's namespace; undefined when none is named. @throws SourceFailure when it does not exist */
export async function readSecret(
  context: SourceContext,
  task: Task,
  reference: { name: string } | undefined,
): Promise<SecretValues | undefined> {
  if (reference === undefined || reference.name === '') return undefined
  const { name } = reference
  const namespace = task.object.metadata.namespace ?? ''
  const secret = await context.kube.get(SECRET, { namespace, name }, { signal: task.signal })
  if (secret === undefined) throw unusable(`Secret "${namespace}/${name}" does not exist`)
  const { data } = secret
  return toValues(`${namespace}/${name}`, typeof data === 'object' && data !== null ? { ...data } : {})
}

/** @param message what is wrong with which Secret, without its values */
export function unusable(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'AuthenticationFailed', message)
}

function toValues(name: string, data: Record<string, unknown>): SecretValues {
  const text = (key: string): string | undefined => {
    const value = data[key]
    return typeof value === 'string' && value !== ''
      ? Buffer.from(value, 'base64').toString('utf8')
      : undefined
  }
  return {
    name,
    keys: Object.keys(data).sort(),
    get: (...keys) => keys.map(text).find((value) => value !== undefined),
  }
}
