import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'

const compress = promisify(deflate)
/** Of objects in a pack. */
const TYPES = { commit: 1, tree: 2, blob: 3 } as const

/** New objects, held in memory until they are sent as one pack. */
export class PackWriter {
  private readonly objects = new Map<string, { type: keyof typeof TYPES; content: Uint8Array }>()

  /** Returns the id of the object. */
  add(type: keyof typeof TYPES, content: Uint8Array): string {
    const oid = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex')
    this.objects.set(oid, { type, content })
    return oid
  }

  /** The pack, without deltas. */
  async finish(): Promise<Uint8Array> {
    const parts = [Buffer.from('PACK'), uint32(2), uint32(this.objects.size)]
    for (const { type, content } of this.objects.values())
      parts.push(headerOf(TYPES[type], content.length), await compress(content))
    const body = Buffer.concat(parts)
    return Buffer.concat([body, createHash('sha1').update(body).digest()])
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Type and size: four bits of the size in the first byte, then seven in each. */
function headerOf(type: number, size: number): Buffer {
  const bytes: number[] = []
  let rest = Math.floor(size / 16)
  let byte = (type << 4) | (size % 16)
  while (rest > 0) {
    bytes.push(byte | 0x80)
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, byte])
}
