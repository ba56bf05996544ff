import { inspectStreams, type StreamReport } from '@setpoint/bus'
import { messageOf } from '../errors.ts'
import { type Check, type Finding, failed, ok, warning } from './check.ts'

const REACHED_WITHIN_MS = 3_000
/** More unread messages than this, and a reader does not keep up or stands still. */
const MOST_LAG = 1_000
const quiet = { info: () => undefined, warn: () => undefined }

/** NATS answers, has the streams, and their readers keep up. In the cluster, the services' readiness says so. */
export const checkNats: Check = async ({ natsUrl, state }) => {
  const url = natsUrl ?? state?.nats.url
  if (url === undefined) return []
  try {
    const streams = await inspectStreams({
      url,
      producer: 'doctor',
      log: quiet,
      now: Date.now,
      connectTimeoutMs: REACHED_WITHIN_MS,
    })
    return [ok('NATS', `answers at ${withoutPassword(url)}`), ...streamFindings(streams)]
  } catch (error) {
    return [failed('NATS', messageOf(error), 'is nats-server up, with JetStream? --nats names another one')]
  }
}

function streamFindings(streams: StreamReport[]): Finding[] {
  const missing = streams.filter(({ exists }) => !exists)
  if (missing.length > 0)
    return [
      failed(
        'streams',
        `missing: ${missing.map(({ name }) => name).join(', ')}`,
        'the services make them within seconds when they run; see their logs',
      ),
    ]
  const { messages, bytes } = total(streams)
  return [
    ok('streams', `${streams.length} streams, ${messages} messages, ${(bytes / 1024 / 1024).toFixed(1)} MiB`),
    lagFinding(streams),
    ...deadLetters(streams),
  ]
}

function lagFinding(streams: StreamReport[]): Finding {
  const behind = streams.filter(({ lag }) => lag > MOST_LAG)
  if (behind.length === 0) return ok('readers', 'keep up')
  return warning(
    'readers',
    behind.map(({ name, lag }) => `${lag} messages of ${name} are not read yet`).join('; '),
    'a service is slow or stands still; see its queues above',
  )
}

function deadLetters(streams: StreamReport[]): Finding[] {
  const parked = streams.find(({ name }) => name === 'SETPOINT_DEAD_LETTER')?.messages ?? 0
  if (parked === 0) return []
  return [
    warning(
      'dead letters',
      `${parked} messages could not be read by anyone`,
      'services of different versions? read them with nats stream view SETPOINT_DEAD_LETTER',
    ),
  ]
}

function total(streams: StreamReport[]): { messages: number; bytes: number } {
  return streams.reduce(
    (sum, { messages, bytes }) => ({ messages: sum.messages + messages, bytes: sum.bytes + bytes }),
    { messages: 0, bytes: 0 },
  )
}

const withoutPassword = (url: string): string => url.replaceAll(/\/\/[^@/,]*@/g, '//')
