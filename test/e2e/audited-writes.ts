import { readFile } from 'node:fs/promises'
import type { ControlPlane } from '@setpoint/testkit'

/** One write that the API server has carried out. */
export interface AuditedWrite {
  /** The replica of a service, or the user agent of somebody else. */
  writer: string
  verb: string
  resource: string
  name: string
  /** When the request came and when it was answered: ms since the epoch. */
  from: number
  to: number
}

interface AuditEvent {
  verb: string
  userAgent?: string
  requestURI: string
  objectRef?: { resource?: string; subresource?: string; name?: string }
  responseStatus?: { code?: number }
  requestReceivedTimestamp: string
  stageTimestamp: string
}

/** Every write that succeeded, dry runs left out, in order. */
export async function auditedWrites(plane: ControlPlane): Promise<AuditedWrite[]> {
  const text = await readFile(plane.auditFile, 'utf8')
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(
      ({ responseStatus, requestURI }) =>
        (responseStatus?.code ?? 500) < 300 && !/[?&]dryRun=/.test(requestURI),
    )
    .map(writeOf)
    .sort((a, b) => a.from - b.from)
}

function writeOf({ verb, userAgent = '', objectRef = {}, ...event }: AuditEvent): AuditedWrite {
  const { resource = '', subresource = '', name = '' } = objectRef
  return {
    writer: userAgent.replace(/^setpoint-[a-z-]+\//, ''),
    verb,
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    name,
    from: Date.parse(event.requestReceivedTimestamp),
    to: Date.parse(event.stageTimestamp),
  }
}

/** Two replicas that wrote to one thing at the same time. */
export interface CrossedWrites {
  thing: string
  /** In order. */
  writers: string[]
  /** ms since the epoch. */
  at: number
}

/** Less than a process takes to start: work cannot have been handed over and back in this time. */
const THERE_AND_BACK_MS = 500

/**
 * Writes of which two replicas made some to the same thing at the same time: they overlap, or one replica wrote between
 * two writes of another that lie close together. A run writes the object and then the status, so it would be seen.
 */
export function crossedWrites(
  writes: readonly AuditedWrite[],
  thingOf: (write: AuditedWrite) => string | undefined,
): CrossedWrites[] {
  const crossed: CrossedWrites[] = []
  for (const [thing, own] of Map.groupBy(writes, thingOf)) {
    if (thing === undefined) continue
    own.forEach((write, index) => {
      const before = own[index - 1]
      if (before === undefined || before.writer === write.writer) return
      const again = own.find((later) => later.from >= write.from && later.writer === before.writer)
      if (before.to > write.from || (again !== undefined && again.from - before.to < THERE_AND_BACK_MS))
        crossed.push({
          thing,
          writers: [before.writer, write.writer, ...(again === undefined ? [] : [again.writer])],
          at: write.from,
        })
    })
  }
  return crossed
}
