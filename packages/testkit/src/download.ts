import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { platform } from './platform.ts'
import type { Release, Tool } from './tools.ts'

const TIMEOUT_MS = 15 * 60_000
const MAX_BYTES = 400 * 1024 * 1024

/**
 * Downloads the official release of a program, compares its SHA-256 with the official checksum and puts it
 * at `target`. `SETPOINT_DOWNLOAD_BASE` names a mirror: `BASE/HOST/PATH` is asked instead of
 * `https://HOST/PATH`.
 *
 * @throws Error when the server refuses, when the checksum is missing or differs.
 */
export async function download(
  name: string,
  tool: Tool,
  target: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const release = tool.release(platform())
  const expected = await officialChecksum(release, env)
  const file = await fetchBytes(release.url, env)
  const actual = createHash('sha256').update(file).digest('hex')
  if (actual !== expected) {
    throw new Error(
      `${name} ${tool.version}: ${release.url} has SHA-256 ${actual}, its checksum file says ${expected}`,
    )
  }
  const program = release.member === undefined ? file : memberOf(file, release.member)
  await mkdir(dirname(target), { recursive: true })
  const unfinished = `${target}.${process.pid}.unfinished`
  await writeFile(unfinished, program, { mode: 0o755 })
  await rename(unfinished, target)
}

async function officialChecksum({ url, checksum }: Release, env: NodeJS.ProcessEnv): Promise<string> {
  const fileName = url.slice(url.lastIndexOf('/') + 1)
  const text = (await fetchBytes(checksum.url, env)).toString('utf8')
  const found = checksum.format === 'sums' ? fromSums(text, fileName) : fromGitHubRelease(text, fileName)
  if (found === undefined) throw new Error(`${checksum.url} has no SHA-256 of ${fileName}`)
  return found
}

function fromSums(text: string, fileName: string): string | undefined {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/))
  const named = lines.find(([, name]) => name?.replace(/^.*\//, '') === fileName)
  const alone = lines.length === 1 && lines[0]?.length === 1 ? lines[0] : undefined
  return sha256((named ?? alone)?.[0])
}

function fromGitHubRelease(text: string, fileName: string): string | undefined {
  const { assets } = JSON.parse(text) as { assets?: Array<{ name?: unknown; digest?: unknown }> }
  const digest = assets?.find(({ name }) => name === fileName)?.digest
  return typeof digest === 'string' ? sha256(digest.replace(/^sha256:/, '')) : undefined
}

function sha256(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined
}

async function fetchBytes(official: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const base = env.SETPOINT_DOWNLOAD_BASE
  const url = base ? `${base.replace(/\/$/, '')}/${official.replace(/^https:\/\//, '')}` : official
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
    throw new Error(`cannot download ${url}`, { cause })
  })
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
  return readBounded(url, response.body)
}

async function readBounded(url: string, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error(`${url} is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The content of one regular file of a `.tar.gz`; other entries are skipped by their size. */
function memberOf(archive: Buffer, member: string): Buffer {
  const tar = gunzipSync(archive, { maxOutputLength: MAX_BYTES })
  for (let offset = 0; offset + TAR_BLOCK <= tar.length; ) {
    const name = textOf(tar, offset, 100)
    const size = Number.parseInt(textOf(tar, offset + 124, 12), 8) || 0
    const content = offset + TAR_BLOCK
    if (name.replace(/^\.\//, '') === member) return tar.subarray(content, content + size)
    offset = content + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK
  }
  throw new Error(`the archive has no file ${member}`)
}

const TAR_BLOCK = 512

function textOf(tar: Buffer, offset: number, length: number): string {
  const text = tar.toString('latin1', offset, offset + length)
  const end = text.indexOf('\0')
  return (end === -1 ? text : text.slice(0, end)).trim()
}
