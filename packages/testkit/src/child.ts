import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { unwatchGroup, watchGroup } from './watchdog.ts'

/** How many of its last output lines are kept for an error message. */
const KEPT_LINES = 500

/** How a child process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A child process in a group of its own, which dies with this process. */
export interface Child {
  name: string
  pid: number
  /** The last lines of standard output and standard error. */
  logs(): string
  /** Settles when the process has ended. */
  exited: Promise<Exit>
  /** SIGKILL to the whole group. */
  kill(): Promise<void>
  /** SIGTERM, then SIGKILL when the process has not ended after `graceMs`. */
  stop(graceMs?: number): Promise<Exit>
}

export interface ChildOptions {
  env?: Record<string, string | undefined>
  cwd?: string
  /** Where to write all of its output too. */
  logFile?: string
  log?(line: string): void
}

/** Starts a program; throws when it cannot be started at all. */
export async function startChild(
  name: string,
  command: string,
  args: string[],
  options: ChildOptions = {},
): Promise<Child> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const logs = collectOutput(child, options)
  const exited = exitOf(child)
  await spawned(child, name, command)
  const pid = pidOf(child, name)
  watchGroup(pid)
  exited.then(() => unwatchGroup(pid))
  const kill = async () => {
    signalGroup(pid, 'SIGKILL')
    await exited
  }
  const stop = async (graceMs = 10_000) => {
    signalGroup(pid, 'SIGTERM')
    if ((await endedWithin(exited, graceMs)) === undefined) signalGroup(pid, 'SIGKILL')
    return exited
  }
  return { name, pid, logs, exited, kill, stop }
}

/** Settles with undefined when the child still runs after the time. */
export async function endedWithin(exited: Promise<Exit>, timeoutMs: number): Promise<Exit | undefined> {
  const abort = new AbortController()
  const timer = delay(timeoutMs, undefined, { signal: abort.signal }).catch(() => undefined)
  try {
    return await Promise.race([exited, timer])
  } finally {
    abort.abort()
  }
}

/** The error of a child that ended while something waited for it, with what it printed last. */
export function endedEarly(child: Child, exit: Exit): Error {
  const how = exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`
  const tail = child.logs().split('\n').slice(-15).join('\n')
  return new Error(`${child.name} ended before it was ready (${how}); its last output:\n${tail}`)
}

function collectOutput(child: ChildProcess, { logFile, log }: ChildOptions): () => string {
  const file = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a' })
  file?.on('error', () => undefined)
  child.once('close', () => file?.end())
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    let partial = ''
    stream?.on('data', (text: string) => {
      file?.write(text)
      const parts = (partial + text).split('\n')
      partial = (parts.pop() ?? '').slice(-10_000)
      for (const line of parts) keep(line)
    })
    stream?.on('end', () => partial && keep(partial))
  }
  function keep(line: string): void {
    lines.push(line)
    if (lines.length > KEPT_LINES * 2) lines.splice(0, KEPT_LINES)
    log?.(line)
  }
  return () => lines.slice(-KEPT_LINES).join('\n')
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

function spawned(child: ChildProcess, name: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new Error(`cannot start ${name} (${command})`, { cause })))
  })
}

function pidOf(child: ChildProcess, name: string): number {
  if (child.pid === undefined) throw new Error(`${name} has no process id`)
  return child.pid
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    // Already gone, which is what was asked for.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
