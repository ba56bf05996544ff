/** No event of a watch is longer: an object has at most about 3 MiB in the API server. */
const maxLineBytes = 32 * 1024 * 1024
const lineBreak = 0x0a

/** Cuts a stream of bytes into lines. */
export class LineReader {
  readonly #onLine: (line: string) => void
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  /** @throws Error when a line is longer than 32 MiB */
  add(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(lineBreak); end >= 0; end = chunk.indexOf(lineBreak, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#emit()
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** The stream is over; what is left is the last line. */
  end(): void {
    this.#emit()
  }

  #keep(part: Buffer): void {
    this.#pending.push(part)
    this.#pendingBytes += part.length
    if (this.#pendingBytes > maxLineBytes)
      throw new Error(`a line of a watch is longer than ${maxLineBytes} bytes`)
  }

  #emit(): void {
    const [first] = this.#pending
    const line = this.#pending.length === 1 && first ? first : Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    if (line.length > 0) this.#onLine(line.toString('utf8'))
  }
}
