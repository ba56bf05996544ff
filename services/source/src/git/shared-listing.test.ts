import { GitError, type RemoteRefs } from '@setpoint/git'
import { expect, test } from 'vitest'
import { SharedListing } from './shared-listing.ts'

const refs: RemoteRefs = { refs: new Map() }
const url = 'https://git.example.com/fleet.git'

test('each gives up when its own time is over, and who has more gets the answer of the same request', async () => {
  const answer = Promise.withResolvers<RemoteRefs>()
  let requests = 0
  const listing = new SharedListing(() => {
    requests += 1
    return answer.promise
  })
  const patient = listing.wait({ url, timeoutMs: 60_000 })
  await expect(listing.wait({ url, timeoutMs: 1 })).rejects.toThrow('git.example.com did not answer within')
  expect(listing.isGood).toBe(true)
  answer.resolve(refs)
  expect(await patient).toBe(refs)
  expect(requests).toBe(1)
})

test('a request that nobody waits for any more is stopped, and is nobody else’s answer', async () => {
  const stopped = Promise.withResolvers<AbortSignal>()
  const listing = new SharedListing((signal) => {
    signal.addEventListener('abort', () => stopped.resolve(signal))
    return new Promise(() => undefined)
  })
  await expect(listing.wait({ url, timeoutMs: 1 })).rejects.toThrow(GitError)
  expect((await stopped.promise).aborted).toBe(true)
  expect(listing.isGood).toBe(false)
})

test('a failure is told to all who wait', async () => {
  const listing = new SharedListing(async () => {
    throw new GitError('ServerError', 'it answers with nonsense')
  })
  const waits = [listing.wait({ url, timeoutMs: 60_000 }), listing.wait({ url, timeoutMs: 60_000 })]
  for (const wait of waits) await expect(wait).rejects.toThrow('nonsense')
  expect(listing.isGood).toBe(false)
})
