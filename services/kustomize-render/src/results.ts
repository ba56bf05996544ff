import type { RenderedMessage } from '@setpoint/contracts'
import type { Fingerprints } from './fingerprints.ts'

/** What the last build of a Kustomization saw, and what came of it. */
export interface LastBuild {
  /** What the spec was: uid and generation. */
  spec: string
  /** Digest of what was read from the cluster: variables and keys. */
  data: string
  source: string
  fingerprints: Fingerprints
  result: Pick<RenderedMessage, 'set' | 'problem'>
}

/** Remembered per Kustomization: the last build, and the last message that is on the bus. */
export class Results {
  private readonly builds = new Map<string, LastBuild>()
  private readonly published = new Map<string, RenderedMessage>()
  /** Changes when everything is forgotten. */
  epoch = 0

  build(key: string): LastBuild | undefined {
    return this.builds.get(key)
  }

  keepBuild(key: string, build: LastBuild): void {
    this.builds.set(key, build)
  }

  /** The bus has lost its state: builds must be done again, for what they stored is gone, and nothing is said. */
  forgetAll(): void {
    this.epoch += 1
    this.builds.clear()
    this.published.clear()
  }

  message(key: string): RenderedMessage | undefined {
    return this.published.get(key)
  }

  keepMessage(key: string, message: RenderedMessage): void {
    this.published.set(key, message)
  }

  forget(key: string): void {
    this.builds.delete(key)
    this.published.delete(key)
  }

  /** The stored sets that messages name. */
  storedObjects(): Set<string> {
    const names = [...this.published.values()].map(({ set }) => set?.sealed.object)
    return new Set(names.filter((name) => name !== undefined))
  }

  /** Every Kustomization that a message is known of. */
  messages(): RenderedMessage[] {
    return [...this.published.values()]
  }
}
