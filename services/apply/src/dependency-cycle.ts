import type { Kustomization } from '@setpoint/contracts'

/**
 * The way from a Kustomization over its dependencies back to itself, such as `[a, b, a]`, or undefined. Pure.
 * dependencies: the keys that one waits for.
 */
export function cycleOf(key: string, dependencies: (key: string) => readonly string[]): string[] | undefined {
  const seen = new Set<string>()
  const waysOn = [{ from: key, path: [key] }]
  for (let way = waysOn.pop(); way !== undefined; way = waysOn.pop()) {
    for (const next of dependencies(way.from)) {
      if (next === key) return [...way.path, key]
      if (seen.has(next)) continue
      seen.add(next)
      waysOn.push({ from: next, path: [...way.path, next] })
    }
  }
  return undefined
}

/** One key of each dependency whose readiness is waited for. One that a readyExpr alone decides about may close a circle. */
export function awaitedKeys(kustomization: Kustomization | undefined, additive: boolean): string[] {
  return (kustomization?.spec.dependsOn ?? [])
    .filter(({ readyExpr }) => additive || !readyExpr)
    .map(({ name, namespace }) => `${namespace || (kustomization?.metadata.namespace ?? '')}/${name}`)
}
