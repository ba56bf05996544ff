import type { Bus, Consumption } from '@setpoint/bus'
import {
  type Kustomization,
  REQUESTED_AT_ANNOTATION,
  type RenderedMessage,
  renderedMessage,
  subjects,
} from '@setpoint/contracts'

/** What the render service said last of one Kustomization. */
export interface Rendering {
  message: RenderedMessage
  traceId: string
  /** When it was said: ms since the epoch. */
  time: number
}

/** The last rendering of every Kustomization. */
export class Renderings {
  private readonly byKey = new Map<string, Rendering>()
  private readonly consumption: Consumption

  constructor(
    bus: Bus,
    onRendering: (key: string, next: Rendering, previous: Rendering | undefined) => void,
  ) {
    this.consumption = bus.consume({
      type: renderedMessage,
      filter: subjects.all.rendered,
      onMessage: ({ envelope, key: { namespace, name } }) => {
        const key = `${namespace}/${name}`
        const previous = this.byKey.get(key)
        const next = { message: envelope.data, traceId: envelope.traceId, time: Date.parse(envelope.time) }
        this.byKey.set(key, next)
        onRendering(key, next, previous)
      },
    })
  }

  get caughtUp(): Promise<void> {
    return this.consumption.caughtUp
  }

  /**
   * Reads anew what the render service has said; resolves when all of it is known. What is remembered of the keys counts
   * no more: after a loss of NATS it may be older than what another replica has applied.
   */
  readAgain(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.byKey.delete(key)
    return this.consumption.readAgain()
  }

  /** Whether what is known is no older than this call; false when NATS does not say so. */
  areCurrent(): Promise<boolean> {
    return this.consumption.untilCurrent().then(
      () => true,
      () => false,
    )
  }

  get(key: string): Rendering | undefined {
    return this.byKey.get(key)
  }

  forget(key: string): void {
    this.byKey.delete(key)
  }

  stop(): Promise<void> {
    return this.consumption.stop()
  }
}

/** The rendering speaks of this very object, spec and request; else a newer one is on its way. */
export function speaksOf(rendering: Rendering, kustomization: Kustomization): boolean {
  const { message } = rendering
  const { uid, generation } = kustomization.metadata
  return (
    message.uid === uid &&
    message.generation === generation &&
    message.requestedAt === requestOf(kustomization)
  )
}

/** The value of the annotation that asks for a reconciliation; '' when there is none. */
export function requestOf(kustomization: Kustomization): string {
  return kustomization.metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? ''
}
