import { type Descriptor, isDigest } from './digest.ts'
import { RegistryError } from './errors.ts'
import type { ImageName } from './image-name.ts'

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
const IMAGE_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** Manifests and indexes, of OCI and of Docker, as an Accept header. */
export const MANIFEST_TYPES = [...INDEX_TYPES, ...IMAGE_TYPES].join(', ')

const MAX_ENTRIES = 1_000

/** A layer, with what is said of it. */
export interface Layer extends Descriptor {
  annotations: Record<string, string>
}

/** An image or an artifact, or an index of several. */
export type Manifest =
  | { kind: 'image'; layers: Layer[]; annotations: Record<string, string> }
  | { kind: 'index'; manifests: (Descriptor & { platform: string; artifactType: string })[] }

/** Reads a manifest. @throws RegistryError ProtocolError when it is none of the known types, or not well formed */
export function readManifest(body: Buffer, image: ImageName): Manifest {
  const fields = parse(body, image)
  const { mediaType } = fields
  if (typeof mediaType === 'string' && ![...INDEX_TYPES, ...IMAGE_TYPES].includes(mediaType))
    throw wrong(image, `is of the unknown media type ${JSON.stringify(mediaType.slice(0, 200))}`)
  if (Array.isArray(fields.manifests))
    return {
      kind: 'index',
      manifests: bounded(fields.manifests, image).map((each) => readChild(each, image)),
    }
  if (!Array.isArray(fields.layers)) throw wrong(image, 'lists no layers')
  const layers = bounded(fields.layers, image).map((layer) => ({
    ...readDescriptor(layer, image),
    annotations: readTexts(objectOf(layer).annotations),
  }))
  return { kind: 'image', layers, annotations: readTexts(fields.annotations) }
}

function readChild(value: unknown, image: ImageName) {
  const { platform, artifactType } = objectOf(value)
  const { os, architecture } = objectOf(platform)
  return {
    ...readDescriptor(value, image),
    platform: `${os}/${architecture}`,
    artifactType: typeof artifactType === 'string' ? artifactType : '',
  }
}

function readDescriptor(value: unknown, image: ImageName): Descriptor {
  const { mediaType, digest, size } = objectOf(value)
  const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest) || !isSize)
    throw wrong(image, 'has a layer without media type, digest and size')
  return { mediaType, digest, size }
}

function readTexts(value: unknown): Record<string, string> {
  const texts = Object.entries(objectOf(value)).filter((entry) => typeof entry[1] === 'string')
  return Object.fromEntries(texts) as Record<string, string>
}

function bounded(list: unknown[], image: ImageName): unknown[] {
  if (list.length > MAX_ENTRIES) throw wrong(image, `lists more than ${MAX_ENTRIES} layers`)
  return list
}

function parse(body: Buffer, image: ImageName): Record<string, unknown> {
  try {
    return objectOf(JSON.parse(body.toString('utf8')))
  } catch {
    throw wrong(image, 'is not JSON')
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function wrong(image: ImageName, what: string): RegistryError {
  return new RegistryError('ProtocolError', `the manifest of ${image.canonical} ${what}`)
}
