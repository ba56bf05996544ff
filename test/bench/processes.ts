import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** CPU seconds (user and system) that a process has used so far. 0 when it is gone. Linux only. */
export function cpuSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND
}

/** The most memory a process has held, in MiB. 0 when it is gone. Linux only. */
export function peakMemoryMib(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))
  return Number(match?.[1] ?? 0) / 1024
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
