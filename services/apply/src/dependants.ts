import type { Kustomization } from '@setpoint/contracts'
import { dependencyKeys } from './depends-on.ts'

/** Who waits for whom, kept up to date so that a change of one Kustomization does not cost a look at all. */
export class Dependants {
  private readonly byDependency = new Map<string, Set<string>>()
  private readonly byDependant = new Map<string, string[]>()
  /** Dependants with a readyExpr, which may look at any field of what they depend on. */
  private readonly asking = new Set<string>()

  /** Notes what a Kustomization depends on now. */
  note(key: string, kustomization: Kustomization): void {
    const wanted = dependencyKeys(kustomization)
    if (wanted.length === 0 && !this.byDependant.has(key)) return
    this.forget(key)
    if (wanted.length === 0) return
    this.byDependant.set(key, wanted)
    if (kustomization.spec.dependsOn?.some(({ readyExpr }) => readyExpr)) this.asking.add(key)
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
    this.asking.delete(key)
  }

  /** Somebody depends on it. */
  has(key: string): boolean {
    return this.byDependency.has(key)
  }

  /** The Kustomizations that depend on one. */
  of(key: string): Iterable<string> {
    return this.byDependency.get(key) ?? []
  }

  /** Those of them that any change of it may matter to. */
  askingAbout(key: string): string[] {
    return [...this.of(key)].filter((dependant) => this.asking.has(dependant))
  }
}
