import type { Environment } from '@marcbachmann/cel-js'

class SetsLibrary {}

type List = readonly unknown[]

/** `sets.contains(a, b)`, `sets.equivalent(a, b)`, `sets.intersects(a, b)`. */
export function registerSets(environment: Environment): void {
  environment.registerType('SetsLibrary', SetsLibrary)
  environment.registerConstant('sets', 'SetsLibrary', new SetsLibrary())
  const register = (name: string, holds: (a: List, b: List) => boolean) =>
    environment.registerFunction(
      `SetsLibrary.${name}(list, list): bool`,
      (_sets: unknown, a: List, b: List) => holds(a, b),
    )
  register('contains', containsAll)
  register('equivalent', (a, b) => containsAll(a, b) && containsAll(b, a))
  register('intersects', (a, b) => {
    const keys = keysOf(a)
    return b.some((item) => keys.has(keyOf(item)))
  })
}

function containsAll(all: List, some: List): boolean {
  const keys = keysOf(all)
  return some.every((item) => keys.has(keyOf(item)))
}

function keysOf(list: List): Set<string> {
  return new Set(list.map(keyOf))
}

/** Equal for equal values: numbers count by value, maps without regard to order. */
function keyOf(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'number') return `number ${value}`
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`
  if (typeof value !== 'object' || value === null) return `${typeof value} ${JSON.stringify(value)}`
  if (value.constructor !== Object) return `${value.constructor?.name} ${String(value)}`
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${keyOf(item)}`)
  return `{${entries.sort().join()}}`
}
