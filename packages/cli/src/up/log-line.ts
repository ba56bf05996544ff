/** How grave a line is; `info` and below are shown with --verbose only. */
export type Severity = 'info' | 'warning' | 'error'

export interface ReadLine {
  severity: Severity
  text: string
}

const SEVERITY: Record<string, Severity> = { warn: 'warning', error: 'error', fatal: 'error' }
/** Fields that every line has, or that only a program wants. */
const BOILERPLATE = new Set([
  'level',
  'ts',
  'time',
  'pid',
  'hostname',
  'controller',
  'service',
  'msg',
  'traceId',
])
const LONGEST_FIELD = 500

/** Reads one line of a service's JSON log, or of anything else it printed (a crash), for people. */
export function readServiceLine(line: string): ReadLine {
  const fields = parseObject(line)
  if (fields === undefined) return { severity: isNoise(line) ? 'info' : 'error', text: line }
  const severity = SEVERITY[String(fields.level)] ?? 'info'
  const details = Object.entries(fields)
    .filter(([name]) => !BOILERPLATE.has(name))
    .map(([name, value]) => `${name === 'err' ? 'error' : name}=${fieldText(value)}`)
  return { severity, text: [String(fields.msg ?? ''), ...details].filter(Boolean).join('  ') }
}

/** What Node prints around the message of a crash. */
function isNoise(line: string): boolean {
  return /^\s+at |^\s*$|^Node\.js v|^node:internal|^\s+throw err|^\s*\^\s*$|^\s+(?:code|requireStack): |^\}$/.test(
    line,
  )
}

/** Reads one line of nats-server: `[pid] date time [INF] text`. */
export function readNatsLine(line: string): ReadLine {
  const match = /^\[\d+\] \S+ \S+ \[(?<level>[A-Z]+)\] (?<text>.*)$/.exec(line)
  if (match?.groups === undefined) return { severity: 'info', text: line }
  const { level, text } = match.groups
  const severity = level === 'ERR' || level === 'FTL' ? 'error' : level === 'WRN' ? 'warning' : 'info'
  return { severity, text: text ?? '' }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function fieldText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD)}…` : text
}
