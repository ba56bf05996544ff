import { readFileSync, readlinkSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** CPU seconds (user and system) that a process has used so far. 0 when it is gone. Linux only. */
export function cpuSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND
}

/** The most memory a process has held, in MiB. 0 when it is gone. Linux only. */
export function peakMemoryMib(pid: number): number {
  return mibOf(read(`/proc/${pid}/status`), 'VmHWM')
}

/**
 * The memory that processes hold now, in MiB. Processes that run the same program hold its file once between them, which a
 * sum of their resident sizes would count for each. Linux only.
 */
export function memoryTogetherMib(pids: readonly number[]): number {
  const files = new Map<string, number>()
  let own = 0
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`)
    own += mibOf(status, 'RssAnon') + mibOf(status, 'RssShmem')
    const program = programOf(pid)
    files.set(program, Math.max(files.get(program) ?? 0, mibOf(status, 'RssFile')))
  }
  return [...files.values()].reduce((sum, mib) => sum + mib, own)
}

function mibOf(status: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)
  return Number(match?.[1] ?? 0) / 1024
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
