import type { KubeObject } from '@setpoint/manifest'
import { artifact, condition } from './crd-common.ts'
import { type Infer, list, object, optional, string } from './crd-schema.ts'

/** The schema of ExternalArtifact.spec. */
export const externalArtifactSpec = object('What the artifact is made of, for who makes it.', {
  sourceRef: optional(
    object('The object that the artifact is made of.', {
      apiVersion: optional(string('API version of the object.')),
      kind: string('Kind of the object.'),
      name: string('Name of the object.'),
      namespace: optional(string('Namespace of the object; that of the ExternalArtifact when empty.')),
    }),
  ),
})

/** The schema of ExternalArtifact.status. */
export const externalArtifactStatus = object('What its maker says of it.', {
  artifact: optional(artifact),
  conditions: optional(list('What is known of the state of this object.', condition)),
})

export type ExternalArtifactSpec = Infer<typeof externalArtifactSpec>
export type ExternalArtifactStatus = Infer<typeof externalArtifactStatus>

/** `source.toolkit.fluxcd.io/v1`, kind ExternalArtifact. */
export interface ExternalArtifact extends KubeObject {
  spec: ExternalArtifactSpec
  status?: ExternalArtifactStatus
}
