import { jetstreamManager } from '@nats-io/jetstream'
import { decodeEnvelope, type Envelope, type MessageType } from '@setpoint/contracts'
import { type BusConnectOptions, connectNats } from './connection.ts'
import { streamOf } from './streams.ts'

/** Reads what was said last of a subject; undefined when nothing was, or it cannot be read. */
export type ReadLast = <T>(type: MessageType<T>, subject: string) => Promise<Envelope<T> | undefined>

/**
 * Looks messages up for as long as `use` takes, and changes nothing: no stream is made.
 * @throws BusError when NATS cannot be reached within `connectTimeoutMs`; Error when it has no JetStream.
 */
export async function readingLast<R>(
  options: BusConnectOptions,
  use: (read: ReadLast) => Promise<R>,
): Promise<R> {
  const connection = await connectNats(options)
  try {
    const manager = await jetstreamManager(connection, { timeout: 5_000 })
    return await use(async (type, subject) => {
      const found = await manager.direct.getMessage(streamOf(subject), { last_by_subj: subject })
      return found === null ? undefined : decodeEnvelope(type, found.data)
    })
  } finally {
    await connection.close()
  }
}
