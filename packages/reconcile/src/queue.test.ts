import { expect, test, vi } from 'vitest'
import { KeyedQueue } from './queue.ts'

test('a key added many times before it runs is worked on once', async () => {
  const worked: string[] = []
  const gate = Promise.withResolvers<void>()
  const queue = new KeyedQueue({
    workers: 1,
    handle: async (key) => {
      worked.push(key)
      await gate.promise
      return undefined
    },
  })
  queue.add('first')
  for (let times = 0; times < 5; times += 1) queue.add('second')
  gate.resolve()
  await vi.waitFor(() => expect(queue.health().finished).toBe(2))
  expect(worked).toEqual(['first', 'second'])
})

test('a key added while it runs is worked on once more, never twice at the same time', async () => {
  let active = 0
  let most = 0
  let runs = 0
  const gate = Promise.withResolvers<void>()
  const queue = new KeyedQueue({
    workers: 4,
    handle: async () => {
      active += 1
      most = Math.max(most, active)
      runs += 1
      await gate.promise
      active -= 1
      return undefined
    },
  })
  queue.add('app')
  queue.add('app')
  queue.add('app')
  gate.resolve()
  await vi.waitFor(() => expect(queue.health().finished).toBe(2))
  expect({ most, runs }).toEqual({ most: 1, runs: 2 })
})

test('a key that is added during each of its runs never runs twice at the same time', async () => {
  let active = 0
  let most = 0
  const ends: (() => void)[] = []
  const queue = new KeyedQueue({
    workers: 4,
    handle: async () => {
      active += 1
      most = Math.max(most, active)
      await new Promise<void>((resolve) => ends.push(resolve))
      active -= 1
      return undefined
    },
  })
  queue.add('app')
  for (let run = 1; run <= 3; run += 1) {
    queue.add('app')
    ends.shift()?.()
    await vi.waitFor(() => expect(queue.health()).toMatchObject({ finished: run, running: 1 }))
  }
  ends.shift()?.()
  await vi.waitFor(() => expect(queue.health()).toMatchObject({ finished: 4, running: 0 }))
  expect(most).toBe(1)
})

test('hot work that comes later goes before bookkeeping that waits', async () => {
  const worked: string[] = []
  const gate = Promise.withResolvers<void>()
  const queue = new KeyedQueue({
    workers: 1,
    handle: async (key) => {
      worked.push(key)
      if (key === 'running') await gate.promise
      return undefined
    },
  })
  queue.add('running')
  queue.add('bookkeeping', { priority: 'low' })
  queue.add('commit', { priority: 'high' })
  gate.resolve()
  await vi.waitFor(() => expect(queue.health().finished).toBe(3))
  expect(worked).toEqual(['running', 'commit', 'bookkeeping'])
})

test('a key that fails is tried again with growing pauses, and a success ends that', async () => {
  vi.useFakeTimers()
  try {
    const attempts: number[] = []
    const queue = new KeyedQueue({
      workers: 1,
      backoff: { minMs: 1_000, maxMs: 3_000 },
      random: () => 0.5,
      handle: async (_key, run) => {
        attempts.push(run.attempt)
        if (attempts.length < 4) throw new Error('away')
        return undefined
      },
    })
    queue.add('app')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(attempts).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(1_999)
    expect(attempts).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(attempts).toEqual([1, 2, 3, 4])
    queue.add('app')
    await vi.advanceTimersByTimeAsync(0)
    expect(attempts.at(-1)).toBe(1)
  } finally {
    vi.useRealTimers()
  }
})

test('what failed is tried at once when its cause may be over; what is only due later is not', async () => {
  const worked: string[] = []
  let isAway = true
  const queue = new KeyedQueue({
    workers: 1,
    backoff: { minMs: 3_600_000, maxMs: 3_600_000 },
    handle: async (key) => {
      worked.push(key)
      if (isAway && key === 'failed') throw new Error('away')
      return { requeueAfterMs: 3_600_000 }
    },
  })
  for (const key of ['well', 'failed']) queue.add(key)
  await vi.waitFor(() => expect(queue.health().finished).toBe(2))
  isAway = false
  queue.retryFailed()
  await vi.waitFor(() => expect(queue.health().finished).toBe(3))
  queue.retryFailed()
  expect(worked).toEqual(['well', 'failed', 'failed'])
  await queue.stop()
})

test('a run past its deadline is aborted and counted as a failure', async () => {
  const errors: unknown[] = []
  const queue = new KeyedQueue({
    workers: 1,
    deadlineMs: 20,
    onError: (_key, error) => errors.push(error),
    handle: (_key, run) =>
      new Promise((_resolve, reject) => {
        run.signal.addEventListener('abort', () => reject(run.signal.reason), { once: true })
      }),
  })
  queue.add('wedged')
  await vi.waitFor(() => expect(errors).toHaveLength(1))
  expect(String(errors[0])).toContain('took longer than')
  await queue.stop()
})

test('a run that takes long gives its place to others, and they to theirs, up to a bound', async () => {
  const gate = Promise.withResolvers<void>()
  const worked: string[] = []
  const queue = new KeyedQueue({
    workers: 1,
    slowAfterMs: 5,
    maxSlow: 2,
    handle: async (key) => {
      worked.push(key)
      if (key.startsWith('stuck')) await gate.promise
      return undefined
    },
  })
  for (const key of ['stuck-1', 'quick-1', 'stuck-2', 'quick-2', 'stuck-3', 'quick-3']) queue.add(key)
  await vi.waitFor(() => expect(worked).toEqual(['stuck-1', 'quick-1', 'stuck-2', 'quick-2', 'stuck-3']))
  expect(queue.health()).toMatchObject({ running: 3, ready: 1 })
  gate.resolve()
  await vi.waitFor(() => expect(queue.health().finished).toBe(6))
  expect(queue.health()).toMatchObject({ running: 0, ready: 0 })
  await queue.stop()
})

test('a stopped queue waits for what runs and takes nothing new', async () => {
  const gate = Promise.withResolvers<void>()
  let runs = 0
  const queue = new KeyedQueue({
    workers: 1,
    handle: async () => {
      runs += 1
      await gate.promise
      return { requeueAfterMs: 1 }
    },
  })
  queue.add('app')
  const stopped = queue.stop()
  queue.add('late')
  gate.resolve()
  await stopped
  expect(runs).toBe(1)
})
