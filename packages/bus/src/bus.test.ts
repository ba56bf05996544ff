import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { type OutcomeMessage, outcomeMessage, subjects } from '@setpoint/contracts'
import { startNats, startTcpProxy, waitFor } from '@setpoint/testkit'
import { describe, expect, test } from 'vitest'
import { type Bus, connectBus } from './bus.ts'
import { BusError } from './errors.ts'

const log = { info() {}, warn() {} }

function outcome(name: string, revision: string): OutcomeMessage {
  return {
    namespace: 'apps',
    name,
    uid: name,
    generation: 1,
    revision,
    ready: 'True',
    reason: 'ReconciliationSucceeded',
    message: '',
    inventoryDigest: '',
    timingsMs: {},
  }
}

const open = (url: string, producer = 'test') =>
  connectBus({ url, producer, log, now: Date.now, connectTimeoutMs: 10_000 })
const publish = (bus: Bus, name: string, revision: string) =>
  bus.publish(outcomeMessage, subjects.outcome({ namespace: 'apps', name }), outcome(name, revision), {
    traceId: 't',
  })

/** Collects the last revision seen by name. */
function collect(bus: Bus) {
  const seen: Record<string, string> = {}
  let messages = 0
  const consumption = bus.consume({
    type: outcomeMessage,
    filter: subjects.all.outcome,
    onMessage: ({ key, envelope }) => {
      seen[key.name] = envelope.data.revision
      messages += 1
    },
  })
  return { seen, count: () => messages, consumption }
}

describe('state on the bus', () => {
  test('a reader that starts late gets only the last message of each subject, then what is new', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    for (const revision of ['1', '2', '3']) await publish(bus, 'web', revision)
    await publish(bus, 'api.example', '1')
    const reader = collect(bus)
    await reader.consumption.caughtUp
    expect(reader.seen).toEqual({ web: '3', 'api.example': '1' })
    expect(reader.count()).toBe(2)
    await publish(bus, 'web', '4')
    await waitFor('the new message', () => reader.seen.web === '4')
  })

  test('a reader of an empty stream is caught up at once', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    await collect(bus).consumption.caughtUp
  })

  test('a reader that is current knows everything that was said before, also when the last of it was forgotten', async () => {
    await using nats = await startNats()
    await using writer = await open(nats.url)
    await using bus = await open(nats.url)
    const reader = collect(bus)
    for (let revision = 1; revision <= 100; revision += 1) {
      await publish(writer, 'web', String(revision))
      await reader.consumption.untilCurrent()
      expect(reader.seen.web).toBe(String(revision))
    }
    await publish(writer, 'api', '1')
    await writer.forget(subjects.outcome({ namespace: 'apps', name: 'api' }))
    await reader.consumption.untilCurrent()
  })

  test('a reader that NATS does not answer is not current', async () => {
    await using nats = await startNats()
    await using network = await startTcpProxy(Number(new URL(nats.url).port))
    await using bus = await open(`nats://127.0.0.1:${network.port}`)
    const reader = collect(bus)
    await reader.consumption.untilCurrent()
    network.freeze()
    await expect(reader.consumption.untilCurrent()).rejects.toThrow('read setpoint.outcome.>')
    network.mend()
    await waitFor('it is current again', () =>
      reader.consumption.untilCurrent().then(
        () => true,
        () => false,
      ),
    )
  })

  test('last reads one subject, and an absent one is undefined', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    await publish(bus, 'web', '1')
    const read = await bus.last(outcomeMessage, subjects.outcome({ namespace: 'apps', name: 'web' }))
    expect(read?.data.revision).toBe('1')
    expect(
      await bus.last(outcomeMessage, subjects.outcome({ namespace: 'apps', name: 'none' })),
    ).toBeUndefined()
  })

  test('a message that cannot be read is parked and its neighbours go on', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const reader = collect(bus)
    const raw = await connect({ servers: nats.url })
    raw.publish(subjects.outcome({ namespace: 'apps', name: 'broken' }), '{"schemaVersion":"1.0"')
    await raw.flush()
    await publish(bus, 'web', '1')
    await waitFor('the neighbour', () => reader.seen.web === '1')
    expect(bus.stats.deadLetters).toBe(1)
    await raw.close()
  })
})

describe('stored bytes', () => {
  test('come back as they were, and the same bytes are not sent twice', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const bytes = Buffer.alloc(300_000, 7)
    const stored = await bus.bytes.put('setpoint-rendered', 'apps.web.1', bytes)
    const sent = bus.stats.published['setpoint-rendered']?.bytes
    await bus.bytes.put('setpoint-rendered', 'apps.web.1', bytes)
    expect(bus.stats.published['setpoint-rendered']?.bytes).toBe(sent)
    expect(Buffer.from(await bus.bytes.get('setpoint-rendered', stored)).equals(bytes)).toBe(true)
    expect(await bus.bytes.names('setpoint-rendered')).toEqual(['apps.web.1'])
  })

  test('that are gone say so, and those with another digest are refused', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const stored = await bus.bytes.put('setpoint-rendered', 'a', Buffer.from('one'))
    await expect(
      bus.bytes.get('setpoint-rendered', { ...stored, digest: 'sha256:00' }),
    ).rejects.toMatchObject({ code: 'Damaged' })
    await bus.bytes.delete('setpoint-rendered', 'a')
    await expect(bus.bytes.get('setpoint-rendered', stored)).rejects.toMatchObject({ code: 'NotFound' })
    expect(await bus.bytes.names('setpoint-rendered')).toEqual([])
  })

  test('reading many objects, small and large, leaves nothing behind on the server', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const large = Buffer.alloc(700_000, 'x')
    const stored = await bus.bytes.put('setpoint-rendered', 'large', large)
    for (let times = 0; times < 50; times += 1)
      expect(await bus.bytes.get('setpoint-rendered', stored)).toHaveLength(large.length)
    const connection = await connect({ servers: nats.url })
    const { state } = await (await jetstreamManager(connection)).streams.info('OBJ_setpoint-rendered')
    await connection.close()
    expect(state.consumer_count).toBe(0)
  })
})

test('a hint reaches the owner of the kind with the namespace and name', async () => {
  await using nats = await startNats()
  await using owner = await open(nats.url, 'source')
  await using asker = await open(nats.url, 'cli')
  const heard: unknown[] = []
  owner.onHint('GitRepository', (key, hint) => heard.push([key, hint]))
  await owner.flush()
  asker.hint({ kind: 'GitRepository', namespace: 'apps', name: 'fleet' }, { requestedBy: 'cli' })
  asker.hint({ kind: 'Kustomization', namespace: 'apps', name: 'other' }, { requestedBy: 'cli' })
  await waitFor('the hint', () => heard.length > 0)
  expect(heard).toEqual([[{ namespace: 'apps', name: 'fleet' }, { requestedBy: 'cli' }]])
})

describe('when NATS goes away', () => {
  test('publishing fails as Unavailable, and works again when it is back', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    await nats.kill()
    await waitFor('the bus to notice', () => bus.problem() !== undefined)
    await expect(publish(bus, 'web', '1')).rejects.toThrow(BusError)
    await nats.restart()
    await waitFor('the bus to be back', () => bus.problem() === undefined)
    await publish(bus, 'web', '2')
  })

  test('readers go on after a restart that kept the store, without reading everything again', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const reader = collect(bus)
    await publish(bus, 'web', '1')
    await waitFor('the first message', () => reader.seen.web === '1')
    await nats.kill()
    await nats.restart()
    await waitFor('the bus to be back', () => bus.problem() === undefined)
    await publish(bus, 'web', '2')
    await waitFor('the second message', () => reader.seen.web === '2')
    expect(reader.count()).toBe(2)
  })

  test('a store that was wiped is made anew, the producer is told, and readers get what it sends again', async () => {
    await using nats = await startNats()
    await using bus = await open(nats.url)
    const reader = collect(bus)
    await publish(bus, 'web', '1')
    await waitFor('the first message', () => reader.seen.web === '1')
    let lost = 0
    bus.onStateLost(() => {
      lost += 1
    })
    await nats.restart({ wipe: true })
    await waitFor('the loss to be noticed', () => lost === 1)
    await publish(bus, 'web', 'again')
    await waitFor('the message that was sent again', () => reader.seen.web === 'again')
  })
})

test('a server without JetStream is an error once the time is up, naming what is missing', async () => {
  await using nats = await startNats({ config: 'jetstream: disabled' })
  const opening = connectBus({ url: nats.url, producer: 'test', log, now: Date.now, connectTimeoutMs: 500 })
  await expect(opening).rejects.toThrow(/NATS makes no streams/)
})

test('a message that comes late does not replace what another has said meanwhile, unless its sender may still write', async () => {
  await using nats = await startNats()
  await using other = await open(nats.url)
  await using sender = await open(nats.url)
  let mayWrite = 1
  const beforeWrite = () => {
    mayWrite -= 1
    if (mayWrite < 0) throw new Error('somebody else took over')
  }
  const options = { url: nats.url, producer: 'late', log, now: Date.now, beforeWrite }
  await using late = await connectBus(options)
  await publish(other, 'web', '1')
  await publish(other, 'web', '2')
  await expect(publish(late, 'web', 'older')).rejects.toThrow('somebody else took over')
  const subject = subjects.outcome({ namespace: 'apps', name: 'web' })
  expect((await other.last(outcomeMessage, subject))?.data.revision).toBe('2')
  await publish(sender, 'web', '3')
  await publish(other, 'web', '4')
  expect((await other.last(outcomeMessage, subject))?.data.revision).toBe('4')
})
