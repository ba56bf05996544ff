import { parseDuration } from '@setpoint/contracts'
import { displayUrl, type GitCredentials, type RemoteOptions } from '@setpoint/git'
import { Stalled } from '@setpoint/reconcile'
import type { SourceContext, Task } from './context.ts'
import { SourceFailure } from './failure.ts'

const SECRET = { group: '', version: 'v1', kind: 'Secret' }
const DEFAULT_TIMEOUT = '60s'

/** How the repository of a task is reached. @throws Stalled for an unusable URL, SourceFailure for an unusable Secret. */
export async function readRemote(context: SourceContext, task: Task): Promise<RemoteOptions> {
  const { spec } = task.repository
  if (!URL.canParse(spec.url))
    throw new Stalled('URLInvalid', `"${displayUrl(spec.url)}" is not a URL that can be read`)
  return {
    url: spec.url,
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    signal: task.signal,
    maxBytes: context.limits.fetchBytes,
    ...(await readSecret(context, task)),
  }
}

async function readSecret(
  context: SourceContext,
  task: Task,
): Promise<Pick<RemoteOptions, 'auth' | 'caPem'>> {
  const name = task.repository.spec.secretRef?.name
  if (name === undefined || name === '') return {}
  const namespace = task.repository.metadata.namespace ?? ''
  const secret = await context.kube.get(SECRET, { namespace, name }, { signal: task.signal })
  if (secret === undefined) throw unusable(`Secret "${namespace}/${name}" does not exist`)
  const auth = credentials(secretValue(secret), `${namespace}/${name}`)
  const caPem = secretValue(secret)('ca.crt') ?? secretValue(secret)('caFile')
  return { ...(auth === undefined ? {} : { auth }), ...(caPem === undefined ? {} : { caPem }) }
}

type Values = (key: string) => string | undefined

function credentials(value: Values, secret: string): GitCredentials | undefined {
  const [username, password, bearerToken] = [value('username'), value('password'), value('bearerToken')]
  const hasBasic = username !== undefined || password !== undefined
  if (bearerToken !== undefined && hasBasic)
    throw unusable(`Secret "${secret}" has both bearerToken and username or password; give one of them`)
  if (bearerToken !== undefined) return { bearerToken }
  if (!hasBasic) return undefined
  if (username === undefined) throw unusable(`Secret "${secret}" has a password but no username`)
  return { username, password: password ?? '' }
}

function secretValue(secret: { [field: string]: unknown }): Values {
  const { data } = secret
  const values: Record<string, unknown> = typeof data === 'object' && data !== null ? { ...data } : {}
  return (key) => {
    const value = values[key]
    return typeof value === 'string' && value !== ''
      ? Buffer.from(value, 'base64').toString('utf8')
      : undefined
  }
}

function unusable(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'AuthenticationFailed', message)
}
