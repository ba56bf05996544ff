import type { KubeObject } from '@setpoint/manifest'
import {
  artifact,
  duration,
  localReference,
  reconciledStatus,
  registryAccess,
  sourceTimeout,
} from './crd-common.ts'
import { boolean, type Infer, list, object, oneOf, optional, string } from './crd-schema.ts'

const reference = object('Which artifact to take: digest, else semver, else tag.', {
  digest: optional(string('Digest of the manifest, as sha256:<hex>.')),
  semver: optional(string('A range of semantic versions; the newest tag within it is taken.')),
  semverFilter: optional(string('A regular expression that tags must match before semver is asked.')),
  tag: optional(string('A tag. Without any field of ref it is latest.')),
})

const layerSelector = object('Which layer of the artifact to take, and how.', {
  mediaType: optional(
    string('Media type of the layer; the first one that has it. Without it, the first layer.'),
  ),
  operation: optional(
    oneOf('extract takes the files that the layer holds; copy serves the layer as it is.', [
      'extract',
      'copy',
    ]),
  ),
})

export type OCILayerSelector = Infer<typeof layerSelector>

const verification = object('Which signatures must be valid before an artifact is taken.', {
  provider: oneOf('The tool that signed it.', ['cosign', 'notation'], { default: 'cosign' }),
  secretRef: optional(localReference('Secret with the trusted public keys: each key *.pub, for cosign.')),
  matchOIDCIdentity: optional(
    list(
      'Who may have signed it without a key.',
      object('An identity; both expressions must match.', {
        issuer: string('Regular expression of the issuer in the certificate.'),
        subject: string('Regular expression of the subject in the certificate.'),
      }),
    ),
  ),
  trustedRootSecretRef: optional(localReference('Secret with the trusted root of signatures without a key.')),
})

export type OCIRepositoryVerification = Infer<typeof verification>

/** The schema of OCIRepository.spec. */
export const ociRepositorySpec = object('Which OCI repository to watch, and what of it makes the artifact.', {
  url: string('Address of the repository, such as oci://ghcr.io/org/manifests: no tag.', {
    pattern: '^oci://.*$',
  }),
  interval: duration('How often to ask the registry for news, with a little jitter.'),
  timeout: optional(sourceTimeout('How long one look at the registry may take, with all that it downloads.')),
  ref: optional(reference),
  layerSelector: optional(layerSelector),
  ...registryAccess,
  verify: optional(verification),
  ignore: optional(
    string('Patterns of files to leave out, as in .gitignore. They come after .sourceignore files.'),
  ),
  suspend: optional(boolean('Stop looking for news until this is false again.')),
})

/** The schema of OCIRepository.status. */
export const ociRepositoryStatus = object('What is known of the repository.', {
  ...reconciledStatus,
  artifact: optional(artifact),
  observedIgnore: optional(string('The spec.ignore that the artifact was made with.')),
  observedLayerSelector: optional(layerSelector),
})

export type OCIRepositorySpec = Infer<typeof ociRepositorySpec>
export type OCIRepositoryStatus = Infer<typeof ociRepositoryStatus>

/** `source.toolkit.fluxcd.io/v1`, kind OCIRepository. */
export interface OCIRepository extends KubeObject {
  spec: OCIRepositorySpec
  status?: OCIRepositoryStatus
}
