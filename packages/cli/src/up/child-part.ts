import { type Child, type Exit, startChild } from '@setpoint/testkit'
import type { Running } from './running.ts'

export interface Program {
  command: string
  args: string[]
  /** On top of this process's own. */
  env?: Record<string, string>
  logFile?: string | undefined
  onLine(line: string): void
}

/**
 * Starts a program as a child process in a group of its own: Ctrl-C reaches this process alone, which then stops
 * its children in order. A watchdog ends them when this process is killed.
 */
export async function startProgram(name: string, program: Program): Promise<Running> {
  const { command, args, env = {}, logFile, onLine } = program
  const child = await startChild(name, command, args, {
    log: onLine,
    env,
    ...(logFile === undefined ? {} : { logFile }),
  })
  return runningChild(child)
}

function runningChild(child: Child): Running {
  return {
    pid: child.pid,
    ended: child.exited.then(howItEnded),
    stop: async (graceMs) => {
      await child.stop(graceMs)
    },
  }
}

export function howItEnded({ code, signal }: Exit): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
}
