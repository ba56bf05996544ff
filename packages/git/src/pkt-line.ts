import { GitError } from './errors.ts'

/** One pkt-line: four hex digits of length, then the content. */
export function pktLine(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

export const FLUSH = Buffer.from('0000')

/** The lines of a text; undefined stands for a flush. @throws GitError ProtocolError */
export function readPktLines(bytes: Buffer): (Buffer | undefined)[] {
  const lines: (Buffer | undefined)[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 4), 16)
    if (Number.isNaN(length) || (length > 0 && length < 4) || at + length > bytes.length)
      throw new GitError('ProtocolError', 'the server does not answer like a Git server')
    lines.push(length === 0 ? undefined : bytes.subarray(at + 4, at + length))
    at += length === 0 ? 4 : length
  }
  return lines
}
