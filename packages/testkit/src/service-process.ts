import type { Child } from './child.ts'
import { freePort } from './free-port.ts'
import { spawnService } from './spawn-service.ts'
import { waitFor } from './wait-for.ts'

/** How long a service may take to be ready, on a machine that is busy. */
const READY_MS = 30_000

/** One of our services as a process, which can be killed and started again with the same flags. */
export interface ServiceProcess extends AsyncDisposable {
  /** Where its health and its metrics are. */
  url: string
  /** The process that it is now. */
  readonly child: Child
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM; it finishes what is under way. */
  stop(): Promise<void>
  /** Starts it again after it has ended, and waits until it is ready. */
  start(): Promise<void>
  /** The output of every process that it has been. */
  logs(): string
  /** The sum of a metric over all series that have the labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
}

/**
 * Starts `services/NAME` and waits until it is ready. It gets an address for health and metrics besides the flags.
 * spawn: how to start it, if not as it is.
 */
export async function startService(
  name: string,
  args: readonly string[],
  spawn: (args: string[]) => Promise<Child> = (all) => spawnService(name, { args: all }),
): Promise<ServiceProcess> {
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const run = () => runUntilReady(name, url, () => spawn([`--http-addr=${address}`, ...args]))
  const earlier: string[] = []
  let child = await run()
  return {
    url,
    get child() {
      return child
    },
    kill: () => child.kill(),
    stop: async () => void (await child.stop()),
    start: async () => {
      earlier.push(child.logs())
      child = await run()
    },
    logs: () => [...earlier, child.logs()].join('\n'),
    metric: async (metric, labels = {}) =>
      sumOf(await (await fetch(`${url}/metrics`)).text(), metric, labels),
    [Symbol.asyncDispose]: async () => void (await child.stop()),
  }
}

async function runUntilReady(name: string, url: string, spawn: () => Promise<Child>): Promise<Child> {
  const child = await spawn()
  const ready = waitFor(`${name} is ready`, () => isReady(url), { timeoutMs: READY_MS })
  const ended = child.exited.then(() => Promise.reject(new Error(`${name} ended:\n${child.logs()}`)))
  ended.catch(() => undefined)
  ready.catch(() => undefined)
  await Promise.race([ready, ended]).catch(async (error: Error) => {
    await child.kill()
    throw new Error(`${error.message}\n${child.logs()}`, { cause: error })
  })
  return child
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return true
}

/** Adds up the series of a metric in Prometheus' text format. */
function sumOf(text: string, name: string, labels: Record<string, string>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`)
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
