import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

export type Entry = Parameters<ReturnType<typeof pack>['entry']>[0] & { content?: string }

/** An archive of these entries, whatever they are. */
export async function tarGz(...entries: Entry[]): Promise<Uint8Array> {
  const archive = pack()
  for (const { content = '', ...header } of entries) archive.entry(header, content)
  archive.finalize()
  return gzipSync(await buffer(archive as never))
}
