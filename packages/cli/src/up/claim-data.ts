import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../errors.ts'
import { isAlive, readState, type UpState } from './state-file.ts'

const PREDECESSOR_ENDS_WITHIN_MS = 15_000

/**
 * Makes sure that nobody else uses the data directory: a running `up` is an error; the children of one that was
 * killed are waited for, because they still write there.
 * @throws CommandError naming the process that is in the way.
 */
export async function claimData(dataDirectory: string): Promise<void> {
  const state = await readState(dataDirectory)
  if (state === undefined || state.pid === process.pid) return
  if (isAlive(state.pid) && (await answers(state)))
    throw new CommandError(
      `setpoint is up already for ${state.server} (process ${state.pid}); stop it, or give another --data directory`,
    )
  for (const pid of childrenOf(state)) await ended(pid, dataDirectory)
}

/** Process ids are used again, so a living one alone proves nothing. */
async function answers(state: UpState): Promise<boolean> {
  const probes = state.services.map(({ url }) =>
    fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(() => true),
  )
  return Promise.any(probes).catch(() => false)
}

function childrenOf(state: UpState): number[] {
  const pids = [state.nats.pid, ...state.services.map(({ pid }) => pid)]
  return pids.filter((pid) => pid !== undefined)
}

async function ended(pid: number, dataDirectory: string): Promise<void> {
  const attempts = PREDECESSOR_ENDS_WITHIN_MS / 100
  for (let attempt = 0; isAlive(pid) && attempt < attempts; attempt++) await delay(100)
  if (isAlive(pid) && !(await usedByOthers(pid)))
    throw new CommandError(
      `process ${pid} of an earlier "setpoint up" still uses ${dataDirectory}; end it first`,
    )
}

/** True when the id is plainly that of another program by now. Linux only; elsewhere the doubt stays. */
async function usedByOthers(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises')
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return line !== undefined && !line.includes('nats-server') && !line.includes('/services/')
}
