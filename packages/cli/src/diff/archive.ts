import { gunzipSync } from 'node:zlib'
import { type FileSource, memoryFiles } from '@setpoint/kustomize'
import { CommandError } from '../errors.ts'

const MAX_BYTES = 512 * 1024 * 1024
const BLOCK = 512

/** The files of an artifact, fetched from where the source service serves it. @throws CommandError */
export async function fetchArtifact(url: string, signal: AbortSignal): Promise<FileSource> {
  const answer = await fetch(url, { signal }).catch((cause: unknown) => {
    throw new CommandError(`cannot fetch the artifact at ${url} from here; give the files with --path DIR`, {
      cause,
    })
  })
  if (!answer.ok)
    throw new CommandError(
      `the artifact at ${url} answers HTTP ${answer.status}; try again, or give --path DIR`,
    )
  const bytes = Buffer.from(await answer.arrayBuffer())
  return memoryFiles(unpack(gunzipSync(bytes, { maxOutputLength: MAX_BYTES })))
}

/** The regular files of a tar archive, by path. Long names come as PAX records or in the prefix field. */
export function unpack(tar: Buffer): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const field = (start: number, length: number) =>
      tar.toString('utf8', at + start, at + start + length).replace(/\0.*$/s, '')
    const size = Number.parseInt(field(124, 12), 8)
    const content = tar.subarray(at + BLOCK, at + BLOCK + size)
    const type = field(156, 1)
    if (type === 'x') longName = /\d+ path=(.*)\n/.exec(content.toString('utf8'))?.[1]
    else {
      const name = longName ?? [field(345, 155), field(0, 100)].filter(Boolean).join('/')
      if (type === '0' || type === '') files[name.replace(/^\.\//, '')] = content
      longName = undefined
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}
