/** Where a command reads and writes. */
export interface Io {
  stdin: NodeJS.ReadableStream
  /** Results. */
  stdout: { write(text: string): unknown }
  /** Progress and errors. */
  stderr: { write(text: string): unknown }
  /** Standard output takes colours: it is a terminal, and nobody asked for none. */
  colour: boolean
}

/** The streams of this process. NO_COLOR and TERM=dumb turn colours off, FORCE_COLOR turns them on. */
export function processIo(): Io {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  const wanted = FORCE_COLOR ? FORCE_COLOR !== '0' : process.stdout.isTTY === true
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    colour: wanted && !NO_COLOR && TERM !== 'dumb',
  }
}
