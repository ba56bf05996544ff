import { createHash } from 'node:crypto'
import { readTarGz } from '@setpoint/artifact'
import type { Artifact } from '@setpoint/contracts'

/** No honest manifests compress better; the default of source's flag --max-decompression-ratio. */
const MAX_RATIO = 500

export interface FetchLimits {
  /** Bytes of the archive, and of the files in it. */
  maxBytes: number
  maxFiles: number
  maxDepth: number
  timeoutMs: number
}

/** An archive that cannot be had, or is not what its object says. */
export class ArchiveError extends Error {
  override name = 'ArchiveError'
}

/** The files of an artifact that somebody else serves. Its digest is checked. @throws ArchiveError, ArtifactError */
export async function fetchArchive(
  { url, digest }: Artifact,
  { maxBytes, maxFiles, maxDepth, timeoutMs }: FetchLimits,
  signal: AbortSignal,
) {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const bytes = await download(url, maxBytes, bounded).catch((cause: unknown) => {
    if (cause instanceof ArchiveError) throw cause
    throw new ArchiveError(`cannot fetch ${shown(url)}: ${reasonOf(cause, bounded)}`, { cause })
  })
  checkDigest(bytes, digest)
  const limits = { maxBytes, maxFileBytes: maxBytes, maxFiles, maxDepth, maxRatio: MAX_RATIO }
  return readTarGz(bytes, limits, bounded)
}

async function download(url: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new ArchiveError(`status.artifact.url "${shown(url)}" is no http or https address`)
  const answer = await fetch(url, { signal, redirect: 'error' })
  if (!answer.ok || answer.body === null) {
    await answer.body?.cancel()
    throw new ArchiveError(`${shown(url)} answers HTTP ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of answer.body) {
    received += chunk.length
    if (received > maxBytes) throw new ArchiveError(`${shown(url)} sends more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function checkDigest(bytes: Uint8Array, digest: string): void {
  const [algorithm = ''] = digest.split(':', 1)
  if (!['sha256', 'sha384', 'sha512'].includes(algorithm))
    throw new ArchiveError(`status.artifact.digest is by "${algorithm}", which is not supported`)
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (found !== digest)
    throw new ArchiveError(`the archive has the digest ${found}, and status.artifact.digest is ${digest}`)
}

/** A URL without what may be a secret in it. */
function shown(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? url : `${parsed.origin}${parsed.pathname}`
}

function reasonOf(cause: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'it took too long'
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message : String(inner)
}
