import { createHash } from 'node:crypto'

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

/** One object of Git, as it is hashed. */
export interface GitObject {
  type: ObjectType
  data: Buffer
}

/** The hash that names an object, to be fed with its data. */
export function objectHash(type: ObjectType, bytes: number) {
  return createHash('sha1').update(`${type} ${bytes}\0`)
}

/** The 20 bytes that name an object. */
export function objectId(type: ObjectType, data: Uint8Array): Buffer {
  return objectHash(type, data.length).update(data).digest()
}
