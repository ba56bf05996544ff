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

  build(key: string): LastBuild | undefined {
    return this.builds.get(key)
  }

  keepBuild(key: string, build: LastBuild): void {
    this.builds.set(key, build)
  }

  /** Builds must be done again, for example because what they stored is gone. */
  forgetBuilds(): void {
    this.builds.clear()
  }

  message(key: string): RenderedMessage | undefined {
    return this.published.get(key)
  }

  keepMessage(key: string, message: RenderedMessage): void {
    this.published.set(key, message)
  }

  forgetMessages(): void {
    this.published.clear()
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
