import type { KubeObject } from '@setpoint/manifest'
import { duration, reconciledStatus, registryAccess } from './crd-common.ts'
import {
  boolean,
  type Infer,
  integer,
  list,
  object,
  optional,
  string,
  stringMap,
  time,
} from './crd-schema.ts'

/** Signatures that cosign puts beside images are no images. */
export const DEFAULT_EXCLUSION_LIST: readonly string[] = ['^.*\\.sig$']

const accessFrom = object('Who, outside this namespace, may use what is found here.', {
  namespaceSelectors: list(
    'Namespaces whose ImagePolicies may refer to this ImageRepository; one that matches is enough.',
    object('Namespaces with all of these labels; every namespace when there are none.', {
      matchLabels: optional(stringMap('Labels that a namespace must have.')),
    }),
  ),
})

/** The schema of ImageRepository.spec. */
export const imageRepositorySpec = object('Which image to scan, and how its registry is reached.', {
  image: string('The repository of the image, such as ghcr.io/stefanprodan/podinfo: no scheme, no tag.'),
  interval: duration('How often to ask the registry for tags.'),
  timeout: optional(
    string('How long one scan may take; the interval when left out.', {
      pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$',
    }),
  ),
  ...registryAccess,
  exclusionList: optional(
    list('Regular expressions of tags that are left out.', string('A regular expression.'), {
      maxItems: 25,
      default: [...DEFAULT_EXCLUSION_LIST],
    }),
  ),
  accessFrom: optional(accessFrom),
  suspend: optional(boolean('Stop scanning until this is false again.')),
})

const scanResult = object('What the last scan found.', {
  revision: optional(string('Checksum of the set of tags: policies look again when it changes.')),
  tagCount: integer('How many tags there are, without those left out.'),
  scanTime: optional(time('When the scan ended.')),
  latestTags: optional(list('Up to ten tags, in descending order.', string('A tag.'))),
})

/** The schema of ImageRepository.status. */
export const imageRepositoryStatus = object('What is known of the image.', {
  ...reconciledStatus,
  canonicalImageName: optional(string('The name of the image with its registry, as it is asked for.')),
  lastScanResult: optional(scanResult),
  observedExclusionList: optional(
    list('The spec.exclusionList of the last scan.', string('A regular expression.')),
  ),
})

export type ImageRepositorySpec = Infer<typeof imageRepositorySpec>
export type ImageRepositoryStatus = Infer<typeof imageRepositoryStatus>

/** `image.toolkit.fluxcd.io/v1`, kind ImageRepository. */
export interface ImageRepository extends KubeObject {
  spec: ImageRepositorySpec
  status?: ImageRepositoryStatus
}
