/** Tells the story on a terminal: headings, what was done, what was verified and how long it took. */
export interface Narrator {
  heading(text: string): void
  /** Something that was done or that is going on. */
  say(text: string): void
  /** Something that was verified; with the milliseconds that it took. */
  verified(text: string, tookMs?: number): void
  failed(text: string): void
}

const TIME_COLUMN = 78

/** Writes to a stream, in colours only on a terminal. */
export function narrator(stream: NodeJS.WriteStream): Narrator {
  const paint =
    stream.isTTY && !process.env.NO_COLOR
      ? (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`
      : plain
  const line = (text: string) => stream.write(`${text}\n`)
  return {
    heading: (text) => line(`\n${paint(1, text)}`),
    say: (text) => line(`    ${text}`),
    verified: (text, tookMs) =>
      line(`  ${paint(32, '✓')} ${text}${tookMs === undefined ? '' : time(text, tookMs)}`),
    failed: (text) => line(`  ${paint(31, '✗')} ${text}`),
  }
}

function plain(_code: number, text: string): string {
  return text
}

function time(text: string, tookMs: number): string {
  return `${' '.repeat(Math.max(2, TIME_COLUMN - text.length))}${(tookMs / 1000).toFixed(2).padStart(6)} s`
}
