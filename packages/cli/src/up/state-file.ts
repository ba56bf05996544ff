import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** One process that `setpoint up` runs. */
export interface UpService {
  /** Of the service, with the number of the replica when there are several. */
  name: string
  /** Absent while it is down; that of `up` itself with --single-process. */
  pid?: number
  /** Where its /healthz, /readyz and /metrics are. */
  url: string
  /** How often it was started again. */
  restarts: number
}

/** What a running `setpoint up` says of itself, for `setpoint doctor` and for tests. */
export interface UpState {
  /** Of `setpoint up`. */
  pid: number
  /** URL of the API server. */
  server: string
  namespace: string
  singleProcess: boolean
  /** The nats-server; without a pid when somebody else runs it. */
  nats: { url: string; pid?: number; restarts: number }
  services: UpService[]
}

/** Where `up` keeps its data for one cluster unless --data says otherwise. */
export function defaultDataDirectory(server: string): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const id = createHash('sha256').update(server).digest('hex').slice(0, 12)
  return join(cache, 'setpoint', 'up', id)
}

/** The state that an `up` with this data directory wrote, or undefined. */
export async function readState(dataDirectory: string): Promise<UpState | undefined> {
  try {
    return JSON.parse(await readFile(stateFile(dataDirectory), 'utf8')) as UpState
  } catch {
    return undefined
  }
}

/** Written beside and renamed, so that a reader never sees half of it. */
export async function writeState(dataDirectory: string, state: UpState): Promise<void> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  const temporary = `${stateFile(dataDirectory)}.${process.pid}.tmp`
  await writeFile(temporary, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  await rename(temporary, stateFile(dataDirectory))
}

export async function removeState(dataDirectory: string): Promise<void> {
  await rm(stateFile(dataDirectory), { force: true })
}

/** True when a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const stateFile = (dataDirectory: string): string => join(dataDirectory, 'state.json')
