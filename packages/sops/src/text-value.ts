import { type Leaf, Timestamp, type Tree } from './value.ts'

/** A leaf as text in a file that knows only text. */
export function textOf(tree: Tree): string {
  if (tree === null) return ''
  if (tree instanceof Timestamp) return tree.text
  return isLeaf(tree) ? String(tree) : ''
}

export const isLeaf = (tree: Tree): tree is Leaf => !(tree instanceof Map) && !Array.isArray(tree)
