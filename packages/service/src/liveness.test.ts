import { KeyedQueue } from '@setpoint/reconcile'
import { afterEach, expect, test } from 'vitest'
import { startHealthServer } from './health-server.ts'
import { livenessProblem } from './liveness.ts'
import { Metrics } from './metrics.ts'

const MINUTE = 60_000
const stack = new AsyncDisposableStack()
afterEach(() => stack.disposeAsync())

/** A queue of one worker whose runs end when they are told to, and never mind their deadline. */
function stubbornQueue() {
  const time = { ms: 0 }
  const gates: (() => void)[] = []
  const queue = new KeyedQueue({
    workers: 1,
    now: () => time.ms,
    handle: () => new Promise((resolve) => gates.push(() => resolve(undefined))),
  })
  return { queue, time, endRun: () => gates.shift()?.() }
}

test('/healthz fails when keys wait and the queue does not move, and is well again when it does', async () => {
  const { queue, time, endRun } = stubbornQueue()
  const server = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    metrics: new Metrics(),
    livenessProblem: () => livenessProblem({ apply: queue }),
    readinessProblem: () => undefined,
  })
  stack.defer(() => server.close())
  const healthz = async () => {
    const answer = await fetch(`http://127.0.0.1:${server.address.port}/healthz`)
    return [answer.status, await answer.text()]
  }
  for (const key of ['wedged', 'a', 'b']) queue.add(key)
  time.ms += 14 * MINUTE
  expect(await healthz()).toEqual([200, 'ok\n'])
  time.ms += 2 * MINUTE
  expect(await healthz()).toEqual([
    503,
    'queue apply does not move: 2 keys wait, the oldest for 960 s, the longest run takes 960 s\n',
  ])
  for (let run = 1; run <= 3; run += 1) {
    endRun()
    await new Promise(setImmediate)
  }
  expect(await healthz()).toEqual([200, 'ok\n'])
})

test('a run that ignores its deadline for half an hour is a problem, though nothing waits behind it', () => {
  const { queue, time } = stubbornQueue()
  queue.add('wedged')
  time.ms += 29 * MINUTE
  expect(livenessProblem({ apply: queue })).toBeUndefined()
  time.ms += 2 * MINUTE
  expect(livenessProblem({ apply: queue })).toContain('has ignored its deadline for 1860 s')
})

test('a queue without work is well, however long nothing comes', () => {
  const { queue, time } = stubbornQueue()
  time.ms += 24 * 60 * MINUTE
  expect(livenessProblem({ apply: queue })).toBeUndefined()
})
