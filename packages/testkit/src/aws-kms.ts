import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { binary } from './binary.ts'
import { startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { type Answer, startEndpoint } from './http-endpoint.ts'
import { connects } from './port-probe.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

/** A user who may use every key. */
export const AWS_USER = { accessKeyId: 'AKIAADA', secretAccessKey: 'correct-horse' } as const

/** KMS of AWS, in region eu-west-1, and as much of its token service as it takes to assume a role. */
export interface AwsKms extends AsyncDisposable {
  /** For AWS_ENDPOINT_URL. */
  url: string
  /** Makes a key: its ARN. */
  createKey(): Promise<string>
  disableKey(arn: string): Promise<void>
  /** Only who has assumed this role may use the key from now on. */
  reserve(arn: string, role: string): void
  /** Requests are taken, and not answered. */
  freeze(): void
  /** Connections break. */
  cut(): void
  mend(): void
  /** How often a data key was decrypted. */
  decryptions(): number
}

/**
 * Starts local-kms behind a door that knows users and roles, which local-kms does not.
 * @param guests access keys that others gave out, with the role that each stands for
 */
export async function startAwsKms(guests: Readonly<Record<string, string>> = {}): Promise<AwsKms> {
  const stack = new AsyncDisposableStack()
  const home = stack.use(await temporaryDirectory('local-kms')).path
  const port = await freePort()
  const child = await startChild('local-kms', await binary('local-kms'), [
    `--addr=127.0.0.1:${port}`,
    `--data=${home}`,
  ])
  stack.defer(() => child.kill())
  await waitFor('local-kms takes connections', () => connects(port), { intervalMs: 20 })
  const door = new Door(`http://127.0.0.1:${port}`, guests)
  const server = stack.use(await startEndpoint((request, body) => door.answer(request, body)))
  const call = async (action: string, body: object) => {
    const { status, text } = await door.pass(action, JSON.stringify(body))
    if (status !== 200) throw new Error(`${action}: ${text}`)
    return JSON.parse(text || '{}') as { KeyMetadata?: { Arn: string } }
  }
  return {
    url: `http://127.0.0.1:${server.port}`,
    createKey: async () => (await call('TrentService.CreateKey', {})).KeyMetadata?.Arn ?? '',
    disableKey: async (arn) => void (await call('TrentService.DisableKey', { KeyId: arn })),
    reserve: (arn, role) => void door.roles.set(arn, role),
    freeze: () => {
      door.state = 'frozen'
    },
    cut: () => {
      door.state = 'cut'
    },
    mend: () => {
      door.state = 'open'
    },
    decryptions: () => door.decryptions,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

class Door {
  /** Of a key: who may use it. */
  readonly roles = new Map<string, string>()
  private readonly sessions = new Map<string, { role: string; token: string }>()
  private readonly target: string
  private readonly guests: Readonly<Record<string, string>>
  state: 'open' | 'frozen' | 'cut' = 'open'
  decryptions = 0

  constructor(target: string, guests: Readonly<Record<string, string>>) {
    this.target = target
    this.guests = guests
  }

  async answer(request: IncomingMessage, body: string): Promise<Answer | undefined> {
    if (this.state === 'cut') throw new Error('the connection breaks')
    if (this.state === 'frozen') return undefined
    const user = /Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const role = this.roleOf(user, request.headers['x-amz-security-token'])
    const action = String(request.headers['x-amz-target'] ?? '')
    const keyId = action === '' ? '' : (JSON.parse(body) as { KeyId?: string }).KeyId
    if (role === undefined)
      return refuse('UnrecognizedClientException', `The security token ${user} is invalid.`)
    if (action === '') return this.assumeRole(new URLSearchParams(body))
    if ((this.roles.get(keyId ?? '') ?? role) !== role)
      return refuse('AccessDeniedException', `User ${user} is not authorized to perform ${action}`)
    if (action === 'TrentService.Decrypt') this.decryptions += 1
    const { status, text } = await this.pass(action, body)
    return { status, headers: JSON_TYPE, body: text }
  }

  /** Undefined for a stranger; '' for a user without a role. */
  private roleOf(user: string, token: unknown): string | undefined {
    if (user === AWS_USER.accessKeyId) return ''
    const session = this.sessions.get(user)
    if (session === undefined) return this.guests[user]
    return session.token === token ? session.role : undefined
  }

  async pass(action: string, body: string): Promise<{ status: number; text: string }> {
    const headers = { ...JSON_TYPE, 'x-amz-target': action, authorization: SCOPE }
    const answer = await fetch(this.target, { method: 'POST', headers, body })
    return { status: answer.status, text: await answer.text() }
  }

  private assumeRole(form: URLSearchParams): Answer {
    const role = form.get('RoleArn') ?? ''
    if (![...this.roles.values()].includes(role)) return { status: 403, headers: XML_TYPE, body: STS_DENIED }
    const [accessKeyId, token] = [`ASIA${this.sessions.size}`, randomUUID()]
    this.sessions.set(accessKeyId, { role, token })
    return { headers: XML_TYPE, body: assumed(accessKeyId, token) }
  }
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' }
const XML_TYPE = { 'content-type': 'text/xml' }
const SCOPE = 'AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/kms/aws4_request'
const STS = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'
const STS_DENIED = `<ErrorResponse ${STS}><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`

function assumed(accessKeyId: string, token: string): string {
  const expires = new Date(Date.now() + 3_600_000).toISOString()
  return `<AssumeRoleResponse ${STS}><AssumeRoleResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${randomUUID()}</SecretAccessKey><SessionToken>${token}</SessionToken><Expiration>${expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
}

function refuse(type: string, message: string): Answer {
  return { status: 400, headers: JSON_TYPE, body: JSON.stringify({ __type: type, message }) }
}
