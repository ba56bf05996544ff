/** JSON as CEL sees it. */
export interface CelValues {
  values: Record<string, unknown>
  /** Elements of the largest list or map, or characters of the longest text: what a loop may have to go through. */
  largest: number
}

/** In JSON an integer and a float look alike; an API server writes what is whole as an integer, so 3 is an int. */
export function toCel(variables: Readonly<Record<string, unknown>>): CelValues {
  let largest = 1
  const convert = (value: unknown): unknown => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
    if (typeof value === 'string') largest = Math.max(largest, value.length / 16)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      largest = Math.max(largest, value.length)
      return value.map(convert)
    }
    const entries = Object.entries(value)
    largest = Math.max(largest, entries.length)
    return Object.fromEntries(entries.map(([key, item]) => [key, convert(item)]))
  }
  // Without a prototype: `constructor` is no variable.
  const values = Object.assign(Object.create(null), convert(variables)) as Record<string, unknown>
  return { values, largest }
}
