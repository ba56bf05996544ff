import { GitError } from '../errors.ts'

/** Git's own bound on a line, with its length. */
const MAX_LINE = 65_520

/** Reads pkt-lines as they arrive. No more is held than one line and what came with it. */
export class PktLineReader {
  private readonly chunks: AsyncIterator<Uint8Array>
  private readonly shown: string
  private rest: Buffer = Buffer.alloc(0)

  /** @param shown whose lines they are, for messages */
  constructor(chunks: AsyncIterable<Uint8Array>, shown: string) {
    this.chunks = chunks[Symbol.asyncIterator]()
    this.shown = shown
  }

  /** The next line; undefined is a flush. @throws GitError ProtocolError, also when there is none */
  async next(): Promise<Buffer | undefined> {
    const head = (await this.take(4)).toString('latin1')
    const length = /^[0-9a-f]{4}$/i.test(head) ? Number.parseInt(head, 16) : 1
    if (length === 0) return undefined
    if (length < 4 || length > MAX_LINE)
      throw new GitError('ProtocolError', `${this.shown} does not answer like a Git server`)
    return this.take(length - 4)
  }

  /** Reads what should be nothing, so that the connection can be used again. */
  async end(): Promise<void> {
    while (!(await this.chunks.next()).done);
  }

  private async take(size: number): Promise<Buffer> {
    const parts = [this.rest]
    for (let length = this.rest.length; length < size; ) {
      const { done, value } = await this.chunks.next()
      if (done) throw new GitError('ProtocolError', `${this.shown} broke off in the middle of its answer`)
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
      length += value.length
    }
    const whole = parts.length === 1 ? this.rest : Buffer.concat(parts)
    this.rest = whole.subarray(size)
    return whole.subarray(0, size)
  }
}
