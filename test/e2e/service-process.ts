import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, freePort, spawnService, waitFor } from '@setpoint/testkit'
import type { ServiceName } from '../chart/identities.ts'
import { PASSWORDS } from '../chart/nats-server.ts'

/** One of our services as a process, which can be killed and started again on the same ports and directories. */
export interface ServiceProcess extends AsyncDisposable {
  name: ServiceName
  readonly pid: number
  /** Which of several replicas it is; '' when it is the only one. */
  replica: string
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM; it hands its work over. */
  stop(): Promise<void>
  /** SIGSTOP: it stands still, and nobody is told. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Starts it again after a kill and waits until it is ready. */
  start(): Promise<void>
  /** The output of every process that it has been. */
  logs(): string
  /** Where source serves artifacts; '' for the others. */
  artifacts: string
  /** The sum of a metric over all series that have the labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
}

export interface ServiceParts {
  kubeconfig: string
  natsUrl: string
  /** Where its files go. */
  directory: string
  /** Which of several replicas it is; without it, it is the only one. */
  replica?: string
}

/** Where the source service keeps its files, below the directory. */
export const STORAGE = 'storage'

/** How long a service may take to be ready, on a machine that is busy. */
const READY_MS = 30_000

/** Starts a service with the chart's identity and waits until it is ready. */
export async function startService(name: ServiceName, parts: ServiceParts): Promise<ServiceProcess> {
  const address = `127.0.0.1:${await freePort()}`
  const args = await argumentsOf(name, parts, address)
  const run = () => runUntilReady(name, args, address)
  const earlier: string[] = []
  let child = await run()
  return {
    name,
    replica: parts.replica ?? '',
    artifacts: args.find((argument) => argument.startsWith('--storage-addr='))?.split('=')[1] ?? '',
    get pid() {
      return child.pid
    },
    kill: () => child.kill(),
    stop: async () => void (await child.stop()),
    pause: () => void process.kill(child.pid, 'SIGSTOP'),
    resume: () => void process.kill(child.pid, 'SIGCONT'),
    start: async () => {
      earlier.push(child.logs())
      child = await run()
    },
    logs: () => [...earlier, child.logs()].join('\n'),
    metric: async (metric, labels = {}) =>
      sumOf(await (await fetch(`http://${address}/metrics`)).text(), metric, labels),
    [Symbol.asyncDispose]: async () => {
      await child.stop()
    },
  }
}

async function argumentsOf(name: ServiceName, parts: ServiceParts, address: string): Promise<string[]> {
  const { replica } = parts
  const password = join(parts.directory, `${name}.password`)
  await writeFile(password, PASSWORDS[name] ?? '', { mode: 0o600 })
  const nats = [`--nats-url=${parts.natsUrl}`, `--nats-user=${name}`, `--nats-password-file=${password}`]
  const common = [`--kubeconfig=${parts.kubeconfig}`, `--http-addr=${address}`, '--stop-grace-seconds=5']
  const shared =
    replica === undefined ? [] : ['--lease-namespace=setpoint-system', `--replica-name=${replica}`]
  const directory = join(parts.directory, replica ?? '')
  const storage =
    name === 'source'
      ? await storageArguments(directory)
      : name === 'image-automation'
        ? [`--storage-path=${join(directory, 'images')}`]
        : []
  return [...common, ...nats, ...shared, ...storage]
}

async function storageArguments(directory: string): Promise<string[]> {
  const address = `127.0.0.1:${await freePort()}`
  const path = `--storage-path=${join(directory, STORAGE)}`
  return [path, `--storage-addr=${address}`, `--storage-adv-addr=${address}`]
}

async function runUntilReady(name: ServiceName, args: string[], address: string): Promise<Child> {
  const child = await spawnService(name, { args })
  const ready = waitFor(`${name} is ready`, () => isReady(address), { timeoutMs: READY_MS })
  const ended = child.exited.then(() => Promise.reject(new Error(`${name} ended:\n${child.logs()}`)))
  ended.catch(() => undefined)
  ready.catch(() => undefined)
  await Promise.race([ready, ended]).catch(async (error: Error) => {
    await child.kill()
    throw new Error(`${error.message}\n${child.logs()}`, { cause: error })
  })
  return child
}

async function isReady(address: string): Promise<boolean> {
  const response = await fetch(`http://${address}/readyz`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return true
}

/** Adds up the series of a metric in Prometheus' text format. */
export function sumOf(text: string, name: string, labels: Record<string, string>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`)
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
