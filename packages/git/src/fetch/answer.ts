import { GitError } from '../errors.ts'
import { printable } from '../printable.ts'
import { refusal } from './advertisement.ts'
import type { PktLineReader } from './pkt-line-reader.ts'

/** What git-upload-pack answers to a request. */
export interface FetchAnswer {
  /** Commits whose parents do not come. */
  shallow: string[]
  /** The pack, as it arrives. */
  pack: AsyncIterable<Uint8Array>
}

/** A commit that is wanted alone is one such line; a server with more of them means to fill our memory. */
const MAX_SHALLOW = 10_000
const BAND = { pack: 1, progress: 2, error: 3 } as const

/** Reads up to where the pack begins. @param isShallow what the request said @throws GitError */
export async function readAnswer(
  lines: PktLineReader,
  { isShallow, shown }: { isShallow: boolean; shown: string },
): Promise<FetchAnswer> {
  const shallow = isShallow ? await readShallow(lines, shown) : []
  await readAcknowledgements(lines, shown)
  return { shallow, pack: readPack(lines, shown) }
}

async function readShallow(lines: PktLineReader, shown: string): Promise<string[]> {
  const shallow: string[] = []
  for (let text = await nextText(lines, shown); text !== undefined; text = await nextText(lines, shown)) {
    const oid = /^shallow ([0-9a-f]{40})$/.exec(text)?.[1]
    if (oid === undefined || shallow.length === MAX_SHALLOW) throw nonsense(shown)
    shallow.push(oid)
  }
  return shallow
}

/** The last of them is `NAK`, or `ACK <id>` with nothing behind it. */
async function readAcknowledgements(lines: PktLineReader, shown: string): Promise<void> {
  for (;;) {
    const text = await nextText(lines, shown)
    const [, status] = /^(?:NAK|ACK [0-9a-f]{40}( common| ready| continue)?)$/.exec(text ?? '') ?? [
      '',
      'none',
    ]
    if (status === undefined) return
    if (status === 'none') throw nonsense(shown)
  }
}

async function nextText(lines: PktLineReader, shown: string): Promise<string | undefined> {
  const text = (await lines.next())?.toString('utf8').trimEnd()
  if (text?.startsWith('ERR ')) throw refusal(text, shown)
  return text
}

/** Takes the bands apart, up to the flush that ends the pack. */
async function* readPack(lines: PktLineReader, shown: string): AsyncIterable<Uint8Array> {
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const content = line.subarray(1)
    if (line[0] === BAND.pack) yield content
    else if (line[0] === BAND.error)
      throw new GitError('ServerError', `${shown} broke off: ${printable(content.toString('utf8'))}`)
    else if (line[0] !== BAND.progress) {
      const text = line.toString('utf8').trimEnd()
      throw text.startsWith('ERR ') ? refusal(text, shown) : nonsense(shown)
    }
  }
  await lines.end()
}

function nonsense(shown: string): GitError {
  return new GitError('ProtocolError', `${shown} does not answer like a Git server`)
}
