import { DamagedPack } from './pack/limits.ts'

/** One line of a tree: a file or a directory in it. */
export interface TreeItem {
  /** As text; a name that is no UTF-8 has replacement characters. */
  name: string
  /** As Git writes it: 40000 is a directory. */
  mode: string
  oid: string
  isTree: boolean
  /** Where its id stands in the bytes of the tree. */
  oidAt: number
}

/** Of an id as it is stored. */
const OID_BYTES = 20

/** The items of a tree in their order. @throws DamagedPack */
export function parseTree(bytes: Buffer): TreeItem[] {
  const items: TreeItem[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const zero = bytes.indexOf(0, space)
    const end = zero + 1 + OID_BYTES
    if (space === -1 || zero === -1 || end > bytes.length) throw new DamagedPack('a tree ends too early')
    const mode = bytes.toString('latin1', at, space)
    items.push({
      name: bytes.toString('utf8', space + 1, zero),
      mode,
      oid: bytes.toString('hex', zero + 1, end),
      isTree: mode === '40000' || mode === '040000',
      oidAt: zero + 1,
    })
    at = end
  }
  return items
}
