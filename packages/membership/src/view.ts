import { ownerOf } from './rendezvous.ts'

/** The replicas by which one of them works: sorted names, itself among them. Empty: it claims nothing. */
export type View = readonly string[]

/** What is known of another living replica. */
export interface Other {
  name: string
  /** What its Lease says that it works by. */
  view: View
}

/** By what a replica decides what is its own. */
export interface Claim {
  self: string
  /** What its own Lease says. */
  view: View
  /** What it is about to say: keys that it gives away are given up at once, those that it gains are not taken yet. */
  target: View
  /** Read after the view was written. */
  others: readonly Other[]
}

/**
 * Whether a key is this replica's. Never true on two replicas at once: each writes its view before it reads the others',
 * so the later of two claims sees the earlier one.
 */
export function isOwn(key: string, { self, view, target, others }: Claim): boolean {
  if (ownerOf(key, view) !== self) return false
  if (target !== view && ownerOf(key, target) !== self) return false
  return others.every((other) => ownerOf(key, other.view) !== other.name)
}

export function viewOf(self: string, others: readonly { name: string }[]): View {
  return [self, ...others.map(({ name }) => name)].sort()
}

export function isSameView(a: View, b: View): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}
