import type { OCILayerSelector } from '@setpoint/contracts'
import type { Descriptor, Manifest } from '@setpoint/registry'
import { SourceFailure } from '../failure.ts'
import type { OciContext, Remote } from './oci-context.ts'

/** Of the images in an index, the one that Flux takes. */
const PLATFORM = 'linux/amd64'
const MAX_ANNOTATION_BYTES = 64 * 1024

/** The layer that is to be taken, and what its manifest says of it. */
export interface ChosenLayer {
  layer: Descriptor
  annotations: Record<string, string>
}

/** @throws SourceFailure when the manifest has no such layer; RegistryError */
export async function chooseLayer(
  context: OciContext,
  remote: Remote,
  digest: string,
  { mediaType = '' }: OCILayerSelector = {},
): Promise<ChosenLayer> {
  const { layers, annotations } = await readImage(context, remote, digest)
  const layer = mediaType === '' ? layers[0] : layers.find((each) => each.mediaType === mediaType)
  if (layer === undefined)
    throw layerFailure(
      mediaType === ''
        ? `${remote.image.canonical} has no layers`
        : `${remote.image.canonical} has no layer of media type "${mediaType}"; it has ${listed(layers)}`,
    )
  const bytes = Buffer.byteLength(JSON.stringify(annotations))
  if (bytes > MAX_ANNOTATION_BYTES)
    throw layerFailure(`the annotations of the manifest have more than ${MAX_ANNOTATION_BYTES} bytes`)
  return { layer, annotations }
}

async function readImage(
  { registry }: OciContext,
  { image, access, call }: Remote,
  digest: string,
): Promise<Extract<Manifest, { kind: 'image' }>> {
  const found = await registry.fetchManifest(image, digest, access, call)
  if (found.kind === 'image') return found
  const child = found.manifests.find(({ platform }) => platform === PLATFORM)
  if (child === undefined) throw layerFailure(`the index ${digest} has no image for ${PLATFORM}`)
  const inner = await registry.fetchManifest(image, child.digest, access, call)
  if (inner.kind === 'image') return inner
  throw layerFailure(`the index ${digest} holds another index`)
}

function listed(layers: Descriptor[]): string {
  const types = [...new Set(layers.map(({ mediaType }) => mediaType))].slice(0, 10)
  return types.length === 0 ? 'none' : types.map((type) => JSON.stringify(type.slice(0, 100))).join(', ')
}

export function layerFailure(message: string, cause?: unknown): SourceFailure {
  return new SourceFailure('FetchFailed', 'OCIArtifactLayerOperationFailed', message, { cause })
}
