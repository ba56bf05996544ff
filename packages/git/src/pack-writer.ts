import { createHash } from 'node:crypto'
import { packedEntry, writePackHeader } from './pack/entry.ts'
import { type ObjectType, objectId } from './pack/git-object.ts'

/** New objects, held in memory until they are sent as one pack. */
export class PackWriter {
  private readonly objects = new Map<string, { type: ObjectType; content: Uint8Array }>()

  /** Returns the id of the object. */
  add(type: ObjectType, content: Uint8Array): string {
    const oid = objectId(type, content).toString('hex')
    this.objects.set(oid, { type, content })
    return oid
  }

  /** The pack, without deltas. */
  async finish(): Promise<Uint8Array> {
    const parts = [writePackHeader(this.objects.size)]
    for (const { type, content } of this.objects.values()) parts.push(await packedEntry(type, content))
    const body = Buffer.concat(parts)
    return Buffer.concat([body, createHash('sha1').update(body).digest()])
  }
}
