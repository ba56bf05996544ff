import { FLUSH, pktLine } from '../pkt-line.ts'

/** What is asked of git-upload-pack. */
export interface FetchWish {
  /** Ids of objects. */
  wants: readonly string[]
  /** Commits that are here with all their history, as far as the shallow ones go. */
  haves?: readonly string[]
  /** Commits whose parents are not here. */
  shallow?: readonly string[]
  /** Only the commits that are wanted, none before them. */
  isShallow?: boolean
  /** Commits and trees only. */
  isWithoutBlobs?: boolean
  /** What is new may come as deltas on what is here already. */
  isThin?: boolean
}

/** Of protocol version 0, by which every server answers; some (Azure DevOps) to nobody without the first one. */
const CAPABILITIES = ['multi_ack_detailed', 'side-band-64k', 'ofs-delta', 'no-progress']

/** The request, with those capabilities that the server has. */
export function fetchRequest(wish: FetchWish, offered: ReadonlySet<string>): Buffer {
  const { wants, haves = [], shallow = [], isShallow = false, isWithoutBlobs = false, isThin = false } = wish
  const wanted = [...CAPABILITIES, ...(isWithoutBlobs ? ['filter'] : []), ...(isThin ? ['thin-pack'] : [])]
  const capabilities = [...wanted.filter((name) => offered.has(name)), 'agent=setpoint'].join(' ')
  return Buffer.concat([
    ...wants.map((oid, index) => pktLine(`want ${oid}${index === 0 ? ` ${capabilities}` : ''}\n`)),
    ...shallow.map((oid) => pktLine(`shallow ${oid}\n`)),
    ...(isShallow ? [pktLine('deepen 1\n')] : []),
    ...(isWithoutBlobs ? [pktLine('filter blob:none\n')] : []),
    FLUSH,
    ...haves.map((oid) => pktLine(`have ${oid}\n`)),
    pktLine('done\n'),
  ])
}
