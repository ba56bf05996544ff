import type { KubeObject } from '@setpoint/manifest'
import { duration, reconciledStatus } from './crd-common.ts'
import { boolean, type Infer, object, oneOf, optional, string } from './crd-schema.ts'

const order = (description: string) =>
  optional(oneOf(description, ['asc', 'desc'] as const, { default: 'asc' }))

const choice = object('How the tag is chosen; exactly one of the three.', {
  semver: optional(
    object('By semantic version.', {
      range: string('A range of semantic versions; the highest tag within it is taken.'),
    }),
  ),
  alphabetical: optional(
    object('By the bytes of the tag.', {
      order: order('asc takes the last of the alphabet, desc the first.'),
    }),
  ),
  numerical: optional(
    object('By the tag as a number.', { order: order('asc takes the highest, desc the lowest.') }),
  ),
})

const tagFilter = object('Which tags are looked at.', {
  pattern: optional(string('Regular expression (RE2) that a tag must match somewhere.')),
  extract: optional(
    string('What of the match is compared instead of the tag, such as $ts for a group (?P<ts>…).'),
  ),
})

/** The schema of ImagePolicy.spec. */
export const imagePolicySpec = object(
  'Which of the tags of an image is the one to run.',
  {
    imageRepositoryRef: object('The ImageRepository whose tags are chosen from.', {
      name: string('Name of the ImageRepository.'),
      namespace: optional(string('Namespace of the ImageRepository; that of this object when left out.')),
    }),
    policy: choice,
    filterTags: optional(tagFilter),
    digestReflectionPolicy: optional(
      oneOf(
        'Whether the digest of the tag is taken too: never, once, or again at every interval.',
        ['Always', 'IfNotPresent', 'Never'],
        { default: 'Never' },
      ),
    ),
    interval: optional(
      duration('How often to look for a moved tag; with digestReflectionPolicy Always only.'),
    ),
    suspend: optional(boolean('Stop choosing until this is false again.')),
  },
  [
    {
      rule: "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')",
      message: "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'",
    },
    {
      rule: "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'",
      message: "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'",
    },
  ],
)

export const imageReference = object('An image with its tag.', {
  name: string('The repository of the image, as spec.image says it.'),
  tag: string('The tag.'),
  digest: optional(string('Digest of the manifest that the tag pointed to.')),
})

/** An image that a policy chose. */
export type ImageReference = Infer<typeof imageReference>

/** The schema of ImagePolicy.status. */
export const imagePolicyStatus = object('Which image is the one to run.', {
  ...reconciledStatus,
  latestRef: optional(imageReference),
  observedPreviousRef: optional(imageReference),
})

export type ImagePolicyChoice = Infer<typeof choice>
export type ImageTagFilter = Infer<typeof tagFilter>
export type ImagePolicySpec = Infer<typeof imagePolicySpec>
export type ImagePolicyStatus = Infer<typeof imagePolicyStatus>

/** `image.toolkit.fluxcd.io/v1`, kind ImagePolicy. */
export interface ImagePolicy extends KubeObject {
  spec: ImagePolicySpec
  status?: ImagePolicyStatus
}

/** `name:tag`, or `name:tag@digest` when there is a digest. */
export function formatImage({ name, tag, digest }: ImageReference): string {
  return digest === undefined || digest === '' ? `${name}:${tag}` : `${name}:${tag}@${digest}`
}
