import type { CST } from 'yaml'

/** The smallest parts of a YAML text, in their order. Their sources joined are the text. */
export interface Leaf {
  type: string
  offset: number
  source: string
  /** True for the scalar that names an entry of a mapping. */
  isKey: boolean
}

/** The parts that hold a value of their own. */
export const SCALARS: ReadonlySet<string> = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'block-scalar',
])

export function leavesOf(tokens: Iterable<CST.Token>): Leaf[] {
  const leaves: Leaf[] = []
  for (const token of tokens) collect(token, false, leaves)
  return leaves
}

function collect(token: CST.Token, isKey: boolean, into: Leaf[]): void {
  switch (token.type) {
    case 'document':
      collectAll(token.start, into)
      if (token.value !== undefined) collect(token.value, false, into)
      collectAll(token.end, into)
      return
    case 'block-map':
    case 'block-seq':
      for (const item of token.items) collectItem(item, into)
      return
    case 'flow-collection':
      collect(token.start, false, into)
      for (const item of token.items) collectItem(item, into)
      collectAll(token.end, into)
      return
    case 'block-scalar':
      collectAll(token.props, into)
      into.push({
        type: token.type,
        offset: token.offset + lengthOf(token.props),
        source: token.source,
        isKey,
      })
      return
    default:
      into.push({
        type: token.type,
        offset: token.offset,
        source: 'source' in token ? token.source : '',
        isKey,
      })
      if ('end' in token) collectAll(token.end, into)
  }
}

function collectItem(item: CST.CollectionItem, into: Leaf[]): void {
  collectAll(item.start, into)
  if (item.key) collect(item.key, true, into)
  collectAll(item.sep, into)
  if (item.value) collect(item.value, false, into)
}

function collectAll(tokens: readonly CST.Token[] | undefined, into: Leaf[]): void {
  for (const token of tokens ?? []) collect(token, false, into)
}

function lengthOf(tokens: readonly CST.Token[]): number {
  return tokens.reduce((sum, token) => sum + ('source' in token ? token.source.length : 0), 0)
}
