import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  freePort,
  type ServiceProcess as PlainService,
  spawnService,
  startService as startPlainService,
  type TcpProxy,
} from '@setpoint/testkit'
import type { ServiceName } from '../chart/identities.ts'
import { PASSWORDS } from '../chart/nats-server.ts'

/** One of our services, which can also be made to stand still. */
export interface ServiceProcess extends PlainService {
  name: ServiceName
  /** Which of several replicas it is; '' when it is the only one. */
  replica: string
  /** SIGSTOP: it stands still, and nobody is told. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Where source serves artifacts; '' for the others. */
  artifacts: string
  /** How it reaches its neighbours, where a test can cut that. */
  networks: Networks | undefined
}

export interface Networks {
  api: TcpProxy
  nats: TcpProxy
}

export interface ServiceParts {
  kubeconfig: string
  natsUrl: string
  /** Where its files go. */
  directory: string
  /** Which of several replicas it is; without it, it is the only one. */
  replica?: string
  networks?: Networks
}

/** Where the source service keeps its files, below the directory. */
export const STORAGE = 'storage'

/** Starts a service with the chart's identity and waits until it is ready. */
export async function startService(name: ServiceName, parts: ServiceParts): Promise<ServiceProcess> {
  const args = await argumentsOf(name, parts)
  const logFile = join(parts.directory, `${parts.replica ?? name}.log`)
  const service = await startPlainService(name, args, (all) => spawnService(name, { args: all, logFile }))
  return Object.assign(service, {
    name,
    replica: parts.replica ?? '',
    networks: parts.networks,
    artifacts: args.find((argument) => argument.startsWith('--storage-addr='))?.split('=')[1] ?? '',
    pause: () => void process.kill(service.child.pid, 'SIGSTOP'),
    resume: () => void process.kill(service.child.pid, 'SIGCONT'),
  })
}

async function argumentsOf(name: ServiceName, parts: ServiceParts): Promise<string[]> {
  const { replica } = parts
  const password = join(parts.directory, `${name}.password`)
  await writeFile(password, PASSWORDS[name] ?? '', { mode: 0o600 })
  const nats = [`--nats-url=${parts.natsUrl}`, `--nats-user=${name}`, `--nats-password-file=${password}`]
  const common = [`--kubeconfig=${parts.kubeconfig}`, '--stop-grace-seconds=5']
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
