import type { JetStreamManager } from '@nats-io/jetstream'
import type { ObjectStore } from '@nats-io/obj'

/**
 * The bytes of a stored object, or null when there is none. Reads chunk by chunk with direct gets: the object store's
 * own reader leaves a consumer behind for each object, and a thousand of them are more than a stream may have.
 * @throws Error when a chunk is not there (yet).
 */
export async function readObject(
  manager: JetStreamManager,
  store: ObjectStore,
  bucket: string,
  name: string,
): Promise<Uint8Array | null> {
  const info = await store.info(name)
  if (info === null || info.deleted) return null
  const chunks: Uint8Array[] = []
  const subject = `$O.${bucket}.C.${info.nuid}`
  for (let sequence = 1; chunks.length < info.chunks; ) {
    const chunk = await manager.direct.getMessage(`OBJ_${bucket}`, { seq: sequence, next_by_subj: subject })
    if (chunk === null) throw new Error(`chunk ${chunks.length + 1} of ${info.chunks} is missing`)
    chunks.push(chunk.data)
    sequence = chunk.seq + 1
  }
  return Buffer.concat(chunks)
}
