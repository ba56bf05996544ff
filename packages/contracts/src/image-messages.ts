import type { MessageType } from './envelope.ts'
import type { Fields } from './fields.ts'
import type { ImageReference } from './image-policy.ts'

/** image-automation → whoever shows or tells it: what the last scan of an ImageRepository found. */
export interface ImageScanMessage {
  namespace: string
  name: string
  uid: string
  /** spec.image with its registry, such as `index.docker.io/library/nginx`. */
  image: string
  /** Checksum of the set of tags: changes when the set does. */
  revision: string
  tagCount: number
  /** Ten at most, in descending order. */
  latestTags: string[]
}

export const imageScanMessage: MessageType<ImageScanMessage> = {
  name: 'image-scan',
  read: (data) => ({
    ...identity(data),
    image: data.string('image'),
    revision: data.string('revision'),
    tagCount: data.number('tagCount'),
    latestTags: data.strings('latestTags'),
  }),
}

/** image-automation → whoever shows or tells it: the image that an ImagePolicy has chosen. */
export interface ImageChoiceMessage {
  namespace: string
  name: string
  uid: string
  image: ImageReference
  /** The one before. */
  previous?: ImageReference
}

export const imageChoiceMessage: MessageType<ImageChoiceMessage> = {
  name: 'image-choice',
  read: (data) => {
    const previous = data.optionalObject('previous')
    return {
      ...identity(data),
      image: readImage(data.object('image')),
      ...(previous === undefined ? {} : { previous: readImage(previous) }),
    }
  },
}

/** image-automation → whoever shows or tells it: the last commit of an ImageUpdateAutomation. */
export interface ImageCommitMessage {
  namespace: string
  name: string
  uid: string
  source: { namespace: string; name: string }
  branch: string
  commit: string
  /** The commit that it follows. */
  parent: string
  /** A hundred at most. */
  changes: { path: string; oldValue: string; newValue: string }[]
}

export const imageCommitMessage: MessageType<ImageCommitMessage> = {
  name: 'image-commit',
  read: (data) => {
    const source = data.object('source')
    return {
      ...identity(data),
      source: { namespace: source.string('namespace'), name: source.string('name') },
      branch: data.string('branch'),
      commit: data.string('commit'),
      parent: data.string('parent'),
      changes: data.list('changes', (change) => ({
        path: change.string('path'),
        oldValue: change.string('oldValue'),
        newValue: change.string('newValue'),
      })),
    }
  },
}

function identity(data: Fields): { namespace: string; name: string; uid: string } {
  return { namespace: data.string('namespace'), name: data.string('name'), uid: data.string('uid') }
}

function readImage(image: Fields): ImageReference {
  const digest = image.optionalString('digest')
  return {
    name: image.string('name'),
    tag: image.string('tag'),
    ...(digest === undefined ? {} : { digest }),
  }
}
