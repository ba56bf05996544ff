import { readFile } from 'node:fs/promises'
import type { ConnectionOptions, NatsConnection } from '@nats-io/nats-core'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { BusError } from './errors.ts'

/** How long the first connection, and the first streams, are tried. */
export const CONNECT_TIMEOUT_MS = 60_000

/** The part of a logger that the bus needs; pino fits. */
export interface BusLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface BusConnectOptions {
  /** `nats://host:4222`, several with commas. */
  url: string
  /** Name of the service: the producer of its messages and the name of its connection. */
  producer: string
  log: BusLog
  /** Milliseconds since the epoch. */
  now(): number
  user?: string
  password?: string
  /** A NATS .creds file. */
  credentialsFile?: string
  /** PEM file of the CA that signed the server's certificate; turns TLS on. */
  caFile?: string
  /** Copies of each stream: 1, or 3 on a cluster of three. Default 1. */
  replicas?: number
  /** How long the first connection is tried. Default 60,000. */
  connectTimeoutMs?: number
  /** Called before state is published, stored or removed; what it throws, the call throws. */
  beforeWrite?(): void
}

/**
 * Opens the connection; once open, it reconnects for ever.
 * @throws BusError when the first connection cannot be made within the time.
 */
export async function connectNats(options: BusConnectOptions): Promise<NatsConnection> {
  const deadline = options.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS)
  const natsOptions = await toNatsOptions(options)
  for (;;) {
    try {
      return await connect(natsOptions)
    } catch (cause) {
      if (options.now() > deadline) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new BusError(
          'Unavailable',
          `cannot connect to NATS at ${withoutPassword(options.url)}: ${reason}`,
          { cause },
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}

async function toNatsOptions(options: BusConnectOptions): Promise<ConnectionOptions> {
  const natsOptions: ConnectionOptions & { tls?: { caFile: string } } = {
    servers: options.url.split(','),
    name: `setpoint-${options.producer}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 10_000,
    timeout: 5_000,
    ignoreClusterUpdates: false,
    // An Error made for each request, in case it fails, is a tenth of what publishing costs.
    noAsyncTraces: true,
  }
  if (options.user !== undefined) natsOptions.user = options.user
  if (options.password !== undefined) natsOptions.pass = options.password
  if (options.caFile !== undefined) natsOptions.tls = { caFile: options.caFile }
  if (options.credentialsFile !== undefined)
    natsOptions.authenticator = credsAuthenticator(await readFile(options.credentialsFile))
  return natsOptions
}

function withoutPassword(url: string): string {
  return url.replaceAll(/\/\/[^@/]*@/g, '//')
}
