/** A duration that is written wrongly. */
export class DurationError extends Error {
  override name = 'DurationError'
}

const MS_PER_HOUR = 3_600_000
const MS_PER_UNIT: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: MS_PER_HOUR,
}

/** A timer of Node that is to wait longer than 24 days does not wait at all. */
const MAX_MS = 20 * 24 * MS_PER_HOUR
/** Nobody is asked more often than that, whatever a spec says. */
const MIN_INTERVAL_MS = 1_000

/**
 * Reads a Go duration such as `1h30m` or `1.5s` as milliseconds. What is longer than 20 days is 20 days.
 * @throws DurationError when the text is no duration.
 */
export function parseDuration(text: string): number {
  if (text === '0') return 0
  const parts = text.match(/\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)/g) ?? []
  if (parts.length === 0 || parts.join('') !== text)
    throw new DurationError(`"${text}" is not a duration: write it like 90s, 10m or 1h30m`)
  return Math.min(
    parts.reduce((total, part) => total + partMs(part), 0),
    MAX_MS,
  )
}

/** The same for how often something is done: not more often than once a second. @throws DurationError */
export function parseInterval(text: string): number {
  return Math.max(parseDuration(text), MIN_INTERVAL_MS)
}

function partMs(part: string): number {
  const number = Number.parseFloat(part)
  const unit = part.replace(/^[\d.]+/, '')
  return number * (MS_PER_UNIT[unit] ?? Number.NaN)
}

/** Writes milliseconds as Go does: `1h30m0s`, `1.5s`, `250ms`, `0s`. Finer than a microsecond is rounded. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`
  const microseconds = Math.round(milliseconds * 1_000)
  if (microseconds === 0) return '0s'
  if (microseconds < 1_000) return `${microseconds}µs`
  if (microseconds < 1_000_000) return `${decimal(microseconds, 1_000)}ms`
  return formatSeconds(microseconds)
}

function formatSeconds(microseconds: number): string {
  const hours = Math.floor(microseconds / 3_600_000_000)
  const minutes = Math.floor((microseconds % 3_600_000_000) / 60_000_000)
  const seconds = `${decimal(microseconds % 60_000_000, 1_000_000)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** A fraction with as many digits as it needs. */
function decimal(value: number, unit: number): string {
  const digits = String(unit).length - 1
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  const whole = String(Math.floor(value / unit))
  return fraction === '' ? whole : `${whole}.${fraction}`
}
