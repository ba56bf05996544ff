import { FieldError, type Fields, fields } from './fields.ts'

/** Major.minor of the message schemas. A reader takes any minor of its own major. */
export const SCHEMA_VERSION = '1.0'

/** What every message on the bus is wrapped in. */
export interface Envelope<T> {
  /** Major.minor, such as `1.0`. */
  schemaVersion: string
  /** One id per commit (or other cause), from fetch to Ready: 32 hex digits, as in W3C trace context. */
  traceId: string
  /** The service that sent it, such as `source`. */
  producer: string
  /** When it was sent: RFC 3339, UTC. */
  time: string
  data: T
}

/** How one kind of message is read from JSON. The name is what errors and metrics call it. */
export interface MessageType<T> {
  name: string
  read(data: Fields): T
}

export function encodeEnvelope<T>(envelope: Envelope<T>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(envelope))
}

/**
 * Parses and checks a message. Unknown fields and newer minor versions are tolerated.
 * @throws FieldError when it is no JSON, of another major version, or a field is missing or of a wrong type.
 */
export function decodeEnvelope<T>(type: MessageType<T>, bytes: Uint8Array): Envelope<T> {
  const envelope = fields(parseJson(bytes))
  const schemaVersion = envelope.string('schemaVersion')
  const [major] = schemaVersion.split('.')
  if (major !== SCHEMA_VERSION.split('.')[0])
    throw new FieldError(
      `schemaVersion ${schemaVersion} of a ${type.name} message cannot be read by ${SCHEMA_VERSION}`,
    )
  return {
    schemaVersion,
    traceId: envelope.string('traceId'),
    producer: envelope.string('producer'),
    time: envelope.string('time'),
    data: type.read(envelope.object('data')),
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FieldError('message is not JSON', { cause })
  }
}
