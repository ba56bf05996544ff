import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream'
import { type BusConnectOptions, connectNats } from './connection.ts'
import { STREAM_NAMES, STREAM_NOT_FOUND } from './streams.ts'

/** One stream as the server has it. */
export interface StreamReport {
  name: string
  /** False when it is not there; the counts are 0 then. */
  exists: boolean
  messages: number
  bytes: number
  /** Messages that the slowest reader has not read yet. */
  lag: number
  /** Readers at this moment. */
  consumers: number
}

/**
 * Looks at every stream that the services keep, and changes nothing.
 * @throws BusError when NATS cannot be reached within `connectTimeoutMs`; Error when it has no JetStream.
 */
export async function inspectStreams(options: BusConnectOptions): Promise<StreamReport[]> {
  const connection = await connectNats(options)
  try {
    const manager = await jetstreamManager(connection, { timeout: 5_000 })
    return await Promise.all([...STREAM_NAMES].map((name) => inspectStream(manager, name)))
  } finally {
    await connection.close()
  }
}

async function inspectStream(
  manager: Awaited<ReturnType<typeof jetstreamManager>>,
  name: string,
): Promise<StreamReport> {
  try {
    const { state } = await manager.streams.info(name)
    const consumers = await manager.consumers.list(name).next()
    return {
      name,
      exists: true,
      messages: state.messages,
      bytes: state.bytes,
      lag: Math.max(0, ...consumers.map(({ num_pending }) => num_pending)),
      consumers: consumers.length,
    }
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error
    return { name, exists: false, messages: 0, bytes: 0, lag: 0, consumers: 0 }
  }
}
