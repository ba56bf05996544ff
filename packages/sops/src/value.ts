/** A date in YAML. Its text is in the form of RFC 3339. */
export class Timestamp {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value in an encrypted file that is neither a map nor a list. */
export type Leaf = string | number | bigint | boolean | Timestamp

/** Maps keep the order of the file: the MAC covers it. */
export type Tree = Leaf | null | Tree[] | Branch
export type Branch = Map<string, Tree>

/** Is given each leaf with the keys on the way to it (list positions do not count); what it returns takes its place. */
export type Visit = (leaf: Leaf, path: readonly string[]) => Leaf

/** The bytes of a leaf that go into the MAC. */
export function leafBytes(leaf: Leaf): string {
  if (leaf instanceof Timestamp) return leaf.text
  if (typeof leaf === 'boolean') return leaf ? 'True' : 'False'
  return typeof leaf === 'number' ? plainDecimal(leaf) : String(leaf)
}

/** As Go prints a float without an exponent: `1e21` is 1000000000000000000000. */
export function plainDecimal(value: number): string {
  if (value === Infinity) return '+Inf'
  const text = String(value)
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (match === null) return value === -Infinity ? '-Inf' : text
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return sign + digits.padEnd(point, '0')
}
