import { type SecretValues, secretValues } from '@setpoint/access'
import type { SourceContext, Task } from './context.ts'
import { SourceFailure } from './failure.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }

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
  return secretValues(`${namespace}/${name}`, secret.data)
}

/** @param message what is wrong with which Secret, without its values */
export function unusable(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'AuthenticationFailed', message)
}
