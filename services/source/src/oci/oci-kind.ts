import { createHash } from 'node:crypto'
import { ArtifactError, type FileContents, readTarGz } from '@setpoint/artifact'
import { type CloudLogins, RegistryLogins } from '@setpoint/cloud'
import { OCI_REPOSITORY, type OCIRepository, ORIGIN_REVISION, ORIGIN_SOURCE } from '@setpoint/contracts'
import { RegistryClient } from '@setpoint/registry'
import type { SourceContext } from '../context.ts'
import type { SourceEntry } from '../entry.ts'
import { readListing } from '../listing.ts'
import type { Fetched, SourceKind } from '../source-kind.ts'
import { digestOfUrl, type SourceState } from '../state.ts'
import type { Made } from '../status.ts'
import { type ChosenLayer, chooseLayer, layerFailure } from './layer.ts'
import type { OciContext, OciParts, OciTask, Remote } from './oci-context.ts'
import { readRemote } from './remote.ts'
import { resolveTarget, type Target } from './resolve.ts'
import { readTrusted, type Trusted, verifyTarget } from './verify.ts'

/** OCIRepositories: the files of a layer, or the layer itself. */
export class OciKind implements SourceKind<OCIRepository> {
  readonly gvk = OCI_REPOSITORY
  readonly directory = 'ocirepositories'
  private readonly parts: OciParts

  constructor(options: {
    now(): number
    allowLinkLocal: boolean
    maxRedirects: number
    clouds: CloudLogins
  }) {
    this.parts = {
      registry: new RegistryClient(options),
      registryLogins: new RegistryLogins(options.clouds, options.now),
    }
  }

  async close(): Promise<void> {
    await this.parts.registry[Symbol.asyncDispose]()
  }

  async look(shared: SourceContext<OCIRepository>, task: OciTask): Promise<Fetched | undefined> {
    const context = { ...shared, ...this.parts }
    const remote = await readRemote(context, task)
    const trusted = await readTrusted(context, task)
    const target = await resolveTarget(context, remote, task.object.spec.ref)
    const recipe = recipeOf(task.object.spec, trusted)
    if (!isNews(task, target, recipe)) return undefined
    const verification = trusted && (await verifyTarget(context, remote, target, trusted))
    const fetched = await fetchArtifact(context, task, remote, { target, recipe })
    return verification === undefined ? fetched : { ...fetched, state: { ...fetched.state, verification } }
  }

  made({ spec }: OCIRepository, { ignore, verification }: SourceState): Made {
    return {
      observed: {
        ...(ignore === '' ? {} : { observedIgnore: ignore }),
        ...(spec.layerSelector === undefined ? {} : { observedLayerSelector: spec.layerSelector }),
      },
      verified: verification?.message,
    }
  }

  news({ spec }: OCIRepository, { revision, metadata = {} }: SourceState): string {
    const message = `stored artifact with revision '${revision}' from '${spec.url}'`
    const source = metadata[ORIGIN_SOURCE]
    const origin = metadata[ORIGIN_REVISION]
    if (source === undefined || origin === undefined) return message
    return `${message}, origin source '${source}', origin revision '${origin}'`
  }
}

function isNews(
  { known: { state }, object: { spec } }: OciTask,
  { revision }: Target,
  recipe: string,
): boolean {
  return (
    state === undefined ||
    state.urlDigest !== digestOfUrl(spec.url) ||
    state.resolved !== revision ||
    state.recipe !== recipe
  )
}

/** Digest of how an artifact is made of a manifest, and of who is trusted. */
function recipeOf(
  { ignore = '', layerSelector = {} }: OCIRepository['spec'],
  trusted: Trusted | undefined,
): string {
  const { mediaType = '', operation = 'extract' } = layerSelector
  return createHash('sha256')
    .update(JSON.stringify([ignore, mediaType, operation, trusted?.identity ?? '']))
    .digest('hex')
}

async function fetchArtifact(
  context: OciContext,
  task: OciTask,
  remote: Remote,
  { target, recipe }: { target: Target; recipe: string },
): Promise<Fetched> {
  const { spec } = task.object
  const { layer, annotations } = await chooseLayer(context, remote, target.digest, spec.layerSelector)
  const blob = await fetchLayer(context, remote, layer)
  const isCopied = spec.layerSelector?.operation === 'copy'
  const files = await unpack(context, task, blob)
  const listing = await readListing(context, task, [...files.values()].map(toEntry), { takesAll: isCopied })
  const state: Fetched['state'] = {
    urlDigest: digestOfUrl(spec.url),
    resolved: target.revision,
    revision: target.revision,
    id: target.digest,
    subject: '',
    ignore: spec.ignore ?? '',
    recipe,
    included: [],
    ...(Object.keys(annotations).length === 0 ? {} : { metadata: annotations }),
    ...(isCopied ? { isVerbatim: true } : {}),
  }
  return { state, listing, ...(isCopied ? { archive: blob } : {}) }
}

async function fetchLayer(
  { registry, limits, metrics }: OciContext,
  { image, access, call }: Remote,
  layer: ChosenLayer['layer'],
): Promise<Buffer> {
  const blob = await registry.fetchBlob(image, layer, access, { ...call, maxBytes: limits.fetchBytes })
  metrics.fetched('full', blob.length)
  return blob
}

async function unpack(
  { limits }: OciContext,
  { signal }: OciTask,
  blob: Uint8Array,
): Promise<Map<string, FileContents>> {
  const { artifactBytes: maxBytes, fileBytes: maxFileBytes, trees, pack } = limits
  try {
    return await readTarGz(blob, { maxBytes, maxFileBytes, maxRatio: pack.maxRatio, ...trees }, signal)
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error
    throw layerFailure(`the layer cannot be taken: ${error.message}`, error)
  }
}

function toEntry({ file, content }: FileContents): SourceEntry {
  return { path: file.path, oid: file.blobId, mode: file.mode, read: async () => content }
}
