import { withoutCredentials } from './address.ts'
import { displayUrl, GitError } from './errors.ts'
import { type Advertisement, readAdvertisement } from './fetch/advertisement.ts'
import { PktLineReader } from './fetch/pkt-line-reader.ts'
import { PackWriter } from './pack-writer.ts'
import { FLUSH, pktLine, readPktLines } from './pkt-line.ts'
import type { RemoteOptions } from './remote-options.ts'
import { translateRemoteError } from './translate-error.ts'
import { bytesOf, openTransport, type Transport, type TransportResponse } from './transport.ts'

/** One reference to move on a server. */
export interface Push {
  /** Full name, such as `refs/heads/main`. */
  ref: string
  /** Where it must be now; undefined when it must not exist. */
  from: string | undefined
  to: string
  /** Everything that the server lacks. */
  pack: Uint8Array
  /** As of `git push -o`. */
  options?: Readonly<Record<string, string>>
}

/** A pack of no objects: for a reference to what the server has already. */
export const EMPTY_PACK: Uint8Array = await new PackWriter().finish()

const SERVICE = 'git-receive-pack'
const NOTHING = '0'.repeat(40)
const MAX_SERVER_TEXT = 1_000

/**
 * Moves one reference, and only from where it is known to be: what somebody else pushed meanwhile is never lost.
 * @throws GitError StaleReference when it is elsewhere; PushRejected, with what the server says, when it refuses.
 */
export async function push(remote: RemoteOptions, wish: Push): Promise<void> {
  await using http = await openTransport(remote)
  try {
    const url = withoutCredentials(remote.url)
    const { refs, capabilities } = await discover(http, url)
    if (refs.get(wish.ref)?.oid !== wish.from) throw stale(wish)
    const names = Object.keys(wish.options ?? {})
    if (names.length > 0 && !capabilities.has('push-options'))
      throw new GitError('PushRejected', `${displayUrl(url)} takes no push options`)
    readReport(await send(http, url, requestOf(wish, capabilities)), wish)
  } catch (cause) {
    throw translateRemoteError(cause, remote.url)
  }
}

async function discover(http: Transport, url: string): Promise<Advertisement> {
  const answer = await http.request({ url: `${url}/info/refs?service=${SERVICE}` })
  const shown = displayUrl(url)
  return readAdvertisement(new PktLineReader(answered(answer, url).body, shown), { service: SERVICE, shown })
}

function requestOf({ ref, from, to, pack, options = {} }: Push, offered: ReadonlySet<string>): Buffer {
  const optionLines = Object.entries(options).map(([key, value]) => (value === '' ? key : `${key}=${value}`))
  const wanted = ['report-status', 'side-band-64k', ...(optionLines.length > 0 ? ['push-options'] : [])]
  const capabilities = [...wanted.filter((name) => offered.has(name)), 'agent=setpoint'].join(' ')
  const command = pktLine(`${from ?? NOTHING} ${to} ${ref}\0${capabilities}`)
  const extra = optionLines.length > 0 ? [...optionLines.map((line) => pktLine(line)), FLUSH] : []
  return Buffer.concat([command, FLUSH, ...extra, pack])
}

async function send(http: Transport, url: string, body: Buffer): Promise<Buffer> {
  const answer = await http.request({
    url: `${url}/${SERVICE}`,
    method: 'POST',
    headers: {
      'content-type': `application/x-${SERVICE}-request`,
      accept: `application/x-${SERVICE}-result`,
    },
    body,
  })
  return bytesOf(answered(answer, url))
}

/** @throws GitError when it is none to a push that is allowed */
function answered(answer: TransportResponse, url: string): TransportResponse {
  const { statusCode } = answer
  const shown = displayUrl(url)
  if (statusCode === 200) return answer
  if (statusCode === 401 || statusCode === 403)
    throw new GitError('AuthenticationFailed', `${shown} does not let us push (HTTP ${statusCode})`)
  if (statusCode === 404)
    throw new GitError('RepositoryNotFound', `${shown} has no such repository (HTTP 404)`)
  throw new GitError('ServerError', `${shown} answered HTTP ${statusCode} to a push`)
}

/** The answer: what hooks say on one band, the report on another. Without bands, the report alone. */
function readReport(answer: Buffer, wish: Push): void {
  const report: Buffer[] = []
  const said: Buffer[] = []
  for (const line of readPktLines(answer)) {
    if (line === undefined) continue
    if (line[0] === 1) report.push(line.subarray(1))
    else if (line[0] === 2 || line[0] === 3) said.push(line.subarray(1))
    else report.push(pktLine(line))
  }
  const lines = readPktLines(Buffer.concat(report)).map((line) => line?.toString('utf8').trim() ?? '')
  if (lines.includes(`ok ${wish.ref}`) && lines.includes('unpack ok')) return
  const refused = lines.find((line) => line.startsWith(`ng ${wish.ref} `))?.slice(wish.ref.length + 4)
  const unpack = lines.find((line) => line.startsWith('unpack '))?.slice('unpack '.length)
  const text = readable(Buffer.concat(said).toString('utf8'))
  const reason = refused ?? (unpack === 'ok' ? 'no answer' : (unpack ?? 'no answer'))
  throw new GitError('PushRejected', `${wish.ref} was refused: ${reason}${text === '' ? '' : `: ${text}`}`)
}

function stale({ ref, from }: Push): GitError {
  return new GitError('StaleReference', `${ref} is no longer at ${from ?? 'nothing'}`)
}

/** What a server says, as far as it can be shown: no control characters, not without end. */
function readable(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '').trim())
  return lines
    .filter((line) => line !== '')
    .join(' | ')
    .slice(0, MAX_SERVER_TEXT)
}
