import { CloudError, orAborted } from '@setpoint/cloud'
import { type KeyService, SopsError } from '@setpoint/sops'
import type { Provider } from './provider.ts'

/** Bounds of what one build may wait for. */
export interface Bounds {
  /** One call. Default 10,000 ms. */
  callMs?: number
  /** All calls of one service together. Default 60,000 ms. */
  totalMs?: number
}

/**
 * Asks a provider for the data keys of one build. Each call is bounded, and so are all together; a server that did not
 * answer is not asked again.
 */
export function keyService(
  provider: Provider,
  { callMs = 10_000, totalMs = 60_000 }: Bounds = {},
): KeyService {
  const silent = new Set<string>()
  let all: AbortSignal | undefined
  return {
    kinds: [provider.kind],
    decrypt: async (key) => {
      await provider.load()
      all ??= AbortSignal.timeout(totalMs)
      const server = provider.serverOf(key)
      if (silent.has(server) || all.aborted) throw unanswered(server)
      const signal = AbortSignal.any([all, AbortSignal.timeout(callMs)])
      try {
        return await orAborted(provider.decrypt(key, signal), signal)
      } catch (error) {
        if (error instanceof SopsError) throw error
        const refusal = signal.aborted ? undefined : refusalOf(provider, error)
        if (refusal !== undefined) throw new SopsError('NoKey', refusal)
        silent.add(server)
        throw unanswered(server)
      }
    },
  }
}

function refusalOf(provider: Provider, error: unknown): string | undefined {
  return error instanceof CloudError ? `cannot be asked: ${error.message}` : provider.refusal(error)
}

function unanswered(server: string): SopsError {
  return new SopsError('NoKey', `could not be asked: ${server} did not answer in time`)
}
