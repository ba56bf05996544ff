import type { KubeObject } from '@setpoint/manifest'
import type { Artifact, Condition } from './crd-common.ts'

/** What all kinds of sources have in common. */
export interface SourceObject extends KubeObject {
  spec: {
    interval: string
    timeout?: string
    ignore?: string
    suspend?: boolean
  }
  status?: SourceStatus
}

export interface SourceStatus {
  artifact?: Artifact
  conditions?: Condition[]
  lastHandledReconcileAt?: string
  observedGeneration?: number
}
