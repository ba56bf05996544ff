import {
  BUNDLE_TYPE,
  CERTIFICATE_ANNOTATION,
  LOG_ANNOTATION,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING_TYPE,
} from '@setpoint/cosign'
import { RegistryError } from '@setpoint/registry'
import type { OciContext, Remote } from './oci-context.ts'

/** One thing that cosign has written about a manifest. */
export type Signature =
  | {
      kind: 'payload'
      payload: Uint8Array
      signature: string
      /** Of one who signs without a key of their own. */
      certificate: string | undefined
      logEntry: string | undefined
    }
  | { kind: 'bundle'; bundle: Uint8Array }

const MAX_SIGNATURES = 50
const MAX_BYTES = 1024 * 1024

/** What the registry holds about a manifest, in both ways that cosign writes it. @throws RegistryError */
export async function readSignatures(
  context: OciContext,
  remote: Remote,
  digest: string,
): Promise<Signature[]> {
  return [
    ...(await readPayloads(context, remote, digest)),
    ...(await readBundles(context, remote, digest)),
  ].slice(0, MAX_SIGNATURES)
}

/** Under a tag that is made of the digest. */
async function readPayloads(context: OciContext, remote: Remote, digest: string): Promise<Signature[]> {
  const { registry } = context
  const { image, access, call } = remote
  const found = await findDigest(context, remote, `${digest.replace(':', '-')}.sig`)
  if (found === undefined) return []
  const manifest = await registry.fetchManifest(image, found, access, call)
  const layers = manifest.kind === 'image' ? manifest.layers : []
  const signatures: Signature[] = []
  for (const layer of layers.slice(0, MAX_SIGNATURES)) {
    const signature = layer.annotations[SIGNATURE_ANNOTATION]
    if (layer.mediaType !== SIMPLE_SIGNING_TYPE || signature === undefined) continue
    const payload = await registry.fetchBlob(image, layer, access, { ...call, maxBytes: MAX_BYTES })
    const certificate = layer.annotations[CERTIFICATE_ANNOTATION]
    const logEntry = layer.annotations[LOG_ANNOTATION]
    signatures.push({ kind: 'payload', payload, signature, certificate, logEntry })
  }
  return signatures
}

/** Among the manifests that refer to it. */
async function readBundles(
  { registry }: OciContext,
  { image, access, call }: Remote,
  digest: string,
): Promise<Signature[]> {
  const referrers = await registry.listReferrers(image, digest, access, call)
  const bundles: Signature[] = []
  for (const referrer of referrers
    .filter(({ artifactType }) => artifactType === BUNDLE_TYPE)
    .slice(0, MAX_SIGNATURES)) {
    const manifest = await registry.fetchManifest(image, referrer.digest, access, call)
    const [layer] = manifest.kind === 'image' ? manifest.layers : []
    if (layer?.mediaType !== BUNDLE_TYPE) continue
    const bundle = await registry.fetchBlob(image, layer, access, { ...call, maxBytes: MAX_BYTES })
    bundles.push({ kind: 'bundle', bundle })
  }
  return bundles
}

async function findDigest(
  { registry }: OciContext,
  { image, access, call }: Remote,
  tag: string,
): Promise<string | undefined> {
  try {
    return await registry.resolveDigest(image, tag, access, call)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NotFound') return undefined
    throw error
  }
}
