import type { ClientChannel } from 'ssh2'
import { GitError } from '../errors.ts'
import type { OperationLimits } from '../operation-limits.ts'
import { printable } from '../printable.ts'

const MAX_STDERR = 4_096

/** Reads what the program at the other end writes, in pieces of the wanted size. */
export class ChannelReader {
  private readonly chunks: AsyncIterator<Buffer>
  private readonly limits: OperationLimits
  private readonly host: string
  private rest: Buffer = Buffer.alloc(0)
  private errors = ''

  constructor(channel: ClientChannel, limits: OperationLimits, host: string) {
    this.limits = limits
    this.host = host
    channel.stderr.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString('utf8')).slice(0, MAX_STDERR)
    })
    limits.signal.addEventListener('abort', () => channel.destroy())
    this.chunks = channel[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** All pkt-lines up to and including the flush. */
  async advertisement(): Promise<Buffer> {
    const parts: Buffer[] = []
    for (;;) {
      const head = await this.take(4)
      const length = Number.parseInt(head.toString('latin1'), 16)
      if (!/^[0-9a-f]{4}$/i.test(head.toString('latin1')) || length === 1 || length === 2 || length === 3)
        throw new GitError('ProtocolError', `${this.host} does not answer like a Git server`)
      parts.push(head)
      if (length === 0) return Buffer.concat(parts)
      parts.push(await this.take(length - 4))
    }
  }

  /** Everything up to the end, as it arrives. */
  async *all(): AsyncIterableIterator<Buffer> {
    let chunk = this.rest.length > 0 ? this.rest : await this.next()
    if (chunk === undefined) throw this.ended()
    this.rest = Buffer.alloc(0)
    for (; chunk !== undefined; chunk = await this.next()) yield chunk
    if (this.limits.signal.aborted) throw this.ended()
  }

  private async take(size: number): Promise<Buffer> {
    const parts = [this.rest]
    for (let length = this.rest.length; length < size; ) {
      const chunk = await this.next()
      if (chunk === undefined) throw this.ended()
      parts.push(chunk)
      length += chunk.length
    }
    const whole = parts.length === 1 ? this.rest : Buffer.concat(parts)
    this.rest = whole.subarray(size)
    return whole.subarray(0, size)
  }

  private async next(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.chunks.next()
      if (done) return undefined
      this.limits.count(value.length)
      return value
    } catch (cause) {
      throw this.limits.problem(cause, this.host)
    }
  }

  /** The program ended early; what it says on standard error tells why. */
  private ended(): GitError {
    if (this.limits.signal.aborted) return this.limits.problem(undefined, this.host)
    const said = [...this.errors.matchAll(/[^\r\n]+/g)].map(([line]) => printable(line)).join('; ')
    if (/not found|does not appear to be a git repository|does not exist|no such/i.test(said))
      return new GitError('RepositoryNotFound', `${this.host} has no such repository: ${said}`)
    if (/denied|not allowed|not authorized|unauthorized|permission/i.test(said))
      return new GitError('AuthenticationFailed', `${this.host} refuses: ${said}`)
    return new GitError('ServerError', `${this.host} broke off: ${said || 'the connection was closed'}`)
  }
}
