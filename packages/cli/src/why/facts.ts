import { readingLast } from '@setpoint/bus'
import {
  type ArtifactMessage,
  artifactMessage,
  type Envelope,
  type GitRepository,
  type Kustomization,
  type OutcomeMessage,
  outcomeMessage,
  type RenderedMessage,
  renderedMessage,
  subjects,
} from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'

/** Everything that is known about the way of one Kustomization's revision into the cluster. */
export interface Facts {
  kustomization: Kustomization
  /** Absent when it does not exist. */
  source?: KubeObject
  /** The object that was asked about is in the inventory; absent when the Kustomization itself was. */
  inInventory?: boolean
  /** The commit that was asked about, or its first digits. */
  commit?: string
  /** What the services said last; absent when NATS cannot be reached from here. */
  said?: Said
}

/** The last message of each service. */
export interface Said {
  artifact?: Envelope<ArtifactMessage>
  rendered?: Envelope<RenderedMessage>
  outcome?: Envelope<OutcomeMessage>
}

/** The source that a Kustomization names. */
export function sourceKeyOf({ metadata, spec }: Kustomization) {
  const { kind, name, namespace } = spec.sourceRef
  return { kind, name, namespace: namespace ?? metadata.namespace ?? '' }
}

/** The revision that the source holds; '' for none. */
export function heldBySource({ source }: Facts): string {
  return (source as GitRepository | undefined)?.status?.artifact?.revision ?? ''
}

const REACHED_WITHIN_MS = 3_000
const quiet = { info: () => undefined, warn: () => undefined }

/** Reads from NATS what the services said last. @throws BusError when it cannot be reached. */
export async function readSaid(url: string, kustomization: Kustomization): Promise<Said> {
  const { namespace = '', name } = kustomization.metadata
  const options = {
    url,
    producer: 'why',
    log: quiet,
    now: Date.now,
    connectTimeoutMs: REACHED_WITHIN_MS,
  }
  return readingLast(options, async (read) => {
    const [artifact, rendered, outcome] = await Promise.all([
      read(artifactMessage, subjects.artifact(sourceKeyOf(kustomization))),
      read(renderedMessage, subjects.rendered({ namespace, name })),
      read(outcomeMessage, subjects.outcome({ namespace, name })),
    ])
    return {
      ...(artifact === undefined ? {} : { artifact }),
      ...(rendered === undefined ? {} : { rendered }),
      ...(outcome === undefined ? {} : { outcome }),
    }
  })
}
