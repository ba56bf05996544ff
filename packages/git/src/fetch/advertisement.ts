import { GitError } from '../errors.ts'
import { printable } from '../printable.ts'
import type { PktLineReader } from './pkt-line-reader.ts'

/** One reference that a server advertises. */
export interface RemoteRef {
  /** Full name, such as `refs/heads/main`. */
  name: string
  /** What it points to: a commit, or the tag object of an annotated tag. */
  oid: string
  /** The commit behind an annotated tag. */
  peeled?: string
}

/** What git-upload-pack or git-receive-pack says before it is asked anything. */
export interface Advertisement {
  /** By full name. */
  refs: ReadonlyMap<string, RemoteRef>
  /** The commit of HEAD; undefined where there is none yet. */
  head: string | undefined
  /** What the server can do, such as `filter`. */
  capabilities: ReadonlySet<string>
}

const MAX_REF_NAME = 1_024
const PEELED = '^{}'

/** Reads protocol version 0 or 1, from the line that names the service to the end. @throws GitError */
export async function readAdvertisement(
  lines: PktLineReader,
  { service, shown }: { service: string; shown: string },
): Promise<Advertisement> {
  const title = (await lines.next())?.toString('utf8').trimEnd()
  if (title !== `# service=${service}` || (await lines.next()) !== undefined)
    throw new GitError('ProtocolError', `${shown} does not answer like a Git server`)
  const advertisement = await readRefs(lines, shown)
  await lines.end()
  return advertisement
}

async function readRefs(lines: PktLineReader, shown: string): Promise<Advertisement> {
  const refs = new Map<string, RemoteRef>()
  const capabilities = new Set<string>()
  let head: string | undefined
  for (let bytes = await lines.next(); bytes !== undefined; bytes = await lines.next()) {
    const [line = '', offered] = bytes.toString('utf8').trimEnd().split('\0')
    for (const capability of offered?.trim().split(' ') ?? []) capabilities.add(capability)
    if (line === 'version 1' || line.startsWith('shallow ')) continue
    const { oid, name } = parseRef(line, shown)
    if (name === 'HEAD') head = oid
    else if (name.endsWith(PEELED)) peel(refs, name, oid)
    else if (isRefName(name)) refs.set(name, { name, oid })
  }
  return { refs, head, capabilities }
}

/** @throws GitError */
function parseRef(line: string, shown: string): { oid: string; name: string } {
  const [, oid = '', name = ''] = /^([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/.exec(line) ?? []
  if (oid.length === 40) return { oid, name }
  if (oid.length === 64)
    throw new GitError(
      'UnsupportedRepository',
      `${shown} names its objects by SHA-256, which is not supported; only SHA-1 is`,
    )
  if (line.startsWith('ERR ')) throw refusal(line, shown)
  throw new GitError('ProtocolError', `${shown} does not answer like a Git server`)
}

/** What a line `ERR <why>` means. */
export function refusal(line: string, shown: string): GitError {
  return new GitError('Refused', `${shown} refuses: ${printable(line.slice('ERR '.length))}`)
}

/** `capabilities^{}` stands in for references where there are none. */
function peel(refs: Map<string, RemoteRef>, name: string, oid: string): void {
  const tag = refs.get(name.slice(0, -PEELED.length))
  if (tag !== undefined) tag.peeled = oid
}

/** What Git itself allows in a name; others are not seen. */
function isRefName(name: string): boolean {
  return name.length <= MAX_REF_NAME && !/[\p{Cc}\p{Cf} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|\/$/u.test(name)
}
