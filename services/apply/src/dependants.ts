import type { Kustomization } from '@setpoint/contracts'
import { dependencyKeys } from './depends-on.ts'

/** Who waits for whom, kept up to date so that a change of one Kustomization does not cost a look at all. */
export class Dependants {
  private readonly byDependency = new Map<string, Set<string>>()
  private readonly byDependant = new Map<string, string[]>()

  /** Notes what a Kustomization depends on now. */
  note(key: string, kustomization: Kustomization): void {
    const wanted = dependencyKeys(kustomization)
    if (wanted.length === 0 && !this.byDependant.has(key)) return
    this.forget(key)
    if (wanted.length === 0) return
    this.byDependant.set(key, wanted)
    for (const dependency of wanted) {
      const dependants = this.byDependency.get(dependency) ?? new Set()
      this.byDependency.set(dependency, dependants.add(key))
    }
  }

  forget(key: string): void {
    for (const dependency of this.byDependant.get(key) ?? []) {
      const dependants = this.byDependency.get(dependency)
      dependants?.delete(key)
      if (dependants?.size === 0) this.byDependency.delete(dependency)
    }
    this.byDependant.delete(key)
  }

  /** The Kustomizations that depend on one. */
  of(key: string): Iterable<string> {
    return this.byDependency.get(key) ?? []
  }
}
