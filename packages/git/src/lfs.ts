import { createHash } from 'node:crypto'
import { withoutCredentials } from './address.ts'
import { displayUrl, GitError } from './errors.ts'
import type { RemoteOptions } from './remote-options.ts'
import { bytesOf, openTransport } from './transport.ts'

/** What Git holds in place of a large file. */
export interface LfsPointer {
  /** SHA-256 of the file, 64 hex digits. */
  oid: string
  /** Bytes. */
  size: number
}

export interface LfsResolution {
  /** Bound on all files together. */
  maxBytes: number
}

const MAX_POINTER_BYTES = 1024
const BATCH = 100
const MEDIA_TYPE = 'application/vnd.git-lfs+json'
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** The pointer that a blob is; undefined for any other content. */
export function parseLfsPointer(content: Uint8Array): LfsPointer | undefined {
  if (content.length > MAX_POINTER_BYTES) return undefined
  const text = Buffer.from(content).toString('utf8')
  if (!text.startsWith('version https://git-lfs.github.com/spec/v1\n')) return undefined
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1]
  const size = /^size (\d{1,15})$/m.exec(text)?.[1]
  return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) }
}

/**
 * Downloads the files behind pointers by the batch API of the repository's own server, and checks size and hash.
 * @returns the contents by oid @throws GitError
 */
export async function resolveLfs(
  remote: RemoteOptions,
  pointers: readonly LfsPointer[],
  { maxBytes }: LfsResolution,
): Promise<Map<string, Uint8Array>> {
  if (remote.url.startsWith('ssh:'))
    throw new GitError(
      'UnsupportedRepository',
      'it has files in Git LFS, which can be had over https only; use an https URL, or leave the files out with spec.ignore',
    )
  const wanted = [...new Map(pointers.map((pointer) => [pointer.oid, pointer])).values()]
  const total = wanted.reduce((sum, { size }) => sum + size, 0)
  if (total > maxBytes)
    throw new GitError(
      'TooLarge',
      `the files in Git LFS have ${total} bytes, more than the limit of ${maxBytes}`,
    )
  const contents = new Map<string, Uint8Array>()
  for (let start = 0; start < wanted.length; start += BATCH) {
    const some = wanted.slice(start, start + BATCH)
    const places = await askForPlaces(remote, some)
    for (const pointer of some) contents.set(pointer.oid, await download(remote, pointer, places))
  }
  return contents
}

interface Place {
  href: string
  header: Record<string, string>
}

interface BatchObject {
  oid?: unknown
  actions?: { download?: { href?: unknown; header?: Record<string, string> } }
}

async function askForPlaces(remote: RemoteOptions, pointers: LfsPointer[]): Promise<Map<string, Place>> {
  const url = `${withoutCredentials(remote.url).replace(/\.git$/, '')}.git/info/lfs/objects/batch`
  const body = Buffer.from(JSON.stringify({ operation: 'download', transfers: ['basic'], objects: pointers }))
  const headers = { accept: MEDIA_TYPE, 'content-type': MEDIA_TYPE }
  const { status, bytes } = await ask({ ...remote, maxBytes: MAX_ANSWER_BYTES }, 'POST', url, headers, body)
  if (status !== 200)
    throw new GitError(
      status === 401 || status === 403 ? 'AuthenticationFailed' : 'ServerError',
      `${displayUrl(remote.url)} gives no files of Git LFS (HTTP ${status}); leave them out with spec.ignore if they are not needed`,
    )
  const places = new Map<string, Place>()
  for (const { oid, actions } of objectsOf(bytes, remote)) {
    const { href, header = {} } = actions?.download ?? {}
    if (typeof oid === 'string' && typeof href === 'string' && /^https?:/.test(href))
      places.set(oid, { href, header })
  }
  return places
}

function objectsOf(bytes: Buffer, remote: RemoteOptions): BatchObject[] {
  try {
    const { objects } = JSON.parse(bytes.toString('utf8')) as { objects?: unknown }
    if (Array.isArray(objects)) return objects as BatchObject[]
  } catch {
    // Said below.
  }
  throw new GitError('ProtocolError', `${displayUrl(remote.url)} does not answer like a Git LFS server`)
}

async function download(
  remote: RemoteOptions,
  pointer: LfsPointer,
  places: Map<string, Place>,
): Promise<Buffer> {
  const what = `the Git LFS file ${pointer.oid}`
  const place = places.get(pointer.oid)
  if (place === undefined)
    throw new GitError('ServerError', `${displayUrl(remote.url)} does not have ${what}`)
  const limited = { ...remote, maxBytes: pointer.size }
  const { status, bytes } = await ask(limited, 'GET', place.href, place.header)
  if (status !== 200) throw new GitError('ServerError', `${what} cannot be downloaded (HTTP ${status})`)
  const isRight =
    bytes.length === pointer.size && createHash('sha256').update(bytes).digest('hex') === pointer.oid
  if (!isRight)
    throw new GitError('ProtocolError', `${what} is not what the server sent: size or hash differ`)
  return bytes
}

async function ask(
  remote: RemoteOptions,
  method: string,
  url: string,
  headers: Record<string, string>,
  content?: Buffer,
): Promise<{ status: number; bytes: Buffer }> {
  await using transport = await openTransport(remote)
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const answer = await transport.request({
    url,
    method,
    headers: lower,
    ...(content && { body: content }),
  })
  return { status: answer.statusCode, bytes: await bytesOf(answer) }
}
