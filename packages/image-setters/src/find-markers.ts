import { type Leaf, SCALARS } from './leaves.ts'
import { type Marker, MarkerError, readMarker } from './marker.ts'

/** A marker with the scalar that it is about. */
export interface Marked {
  marker: Marker
  scalar: Leaf
  /** Index of the scalar among the leaves. */
  index: number
  /** Where the comment is. */
  offset: number
}

export interface FoundMarkers {
  marked: Marked[]
  wrong: { offset: number; message: string }[]
}

const BLANK = new Set([
  'space',
  'newline',
  'comment',
  'comma',
  'seq-item-ind',
  'anchor',
  'tag',
  'block-scalar-header',
])

/** Pairs every marker with its scalar: the one before it on its line, else the item of a list right below it. */
export function findMarkers(leaves: readonly Leaf[]): FoundMarkers {
  const found: FoundMarkers = { marked: [], wrong: [] }
  for (const [at, leaf] of leaves.entries()) {
    if (leaf.type !== 'comment') continue
    const { offset } = leaf
    try {
      const marker = readMarker(leaf.source)
      if (marker === undefined) continue
      const index = scalarOf(leaves, at)
      const scalar = index === undefined ? undefined : leaves[index]
      if (index === undefined || scalar === undefined)
        throw new MarkerError(`the marker "${marker.setter}" stands beside no plain value`)
      found.marked.push({ marker, scalar, index, offset })
    } catch (error) {
      if (!(error instanceof MarkerError)) throw error
      found.wrong.push({ offset, message: error.message })
    }
  }
  return found
}

/** The scalar that a comment is about. */
function scalarOf(leaves: readonly Leaf[], comment: number): number | undefined {
  for (let index = comment - 1; index >= 0; index -= 1) {
    const leaf = leaves[index]
    if (leaf === undefined || leaf.type === 'newline') break
    // A scalar that ends with its line holds the line break itself.
    if (leaf.type === 'block-scalar') break
    if (leaf.type === 'block-scalar-header') return scalarBelow(leaves, comment)
    if (SCALARS.has(leaf.type)) return leaf.isKey ? undefined : index
    if (!['space', 'comma'].includes(leaf.type)) return undefined
  }
  return itemBelow(leaves, comment)
}

function scalarBelow(leaves: readonly Leaf[], comment: number): number | undefined {
  const index = leaves.findIndex(({ type }, at) => at > comment && !BLANK.has(type))
  return leaves[index]?.type === 'block-scalar' ? index : undefined
}

/** A comment on a line of its own speaks of the item of a list on the next line. */
function itemBelow(leaves: readonly Leaf[], comment: number): number | undefined {
  let isItem = false
  for (let index = comment + 1; index < leaves.length; index += 1) {
    const leaf = leaves[index]
    if (leaf === undefined) break
    if (leaf.type === 'seq-item-ind') isItem = true
    else if (SCALARS.has(leaf.type))
      return isItem && !leaf.isKey && leaf.type !== 'block-scalar' ? index : undefined
    else if (!['space', 'newline', 'anchor', 'tag'].includes(leaf.type)) return undefined
  }
  return undefined
}
