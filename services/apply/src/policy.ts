import type { Config } from '@setpoint/service'
import type { settings } from './config.ts'

/** What whoever runs the service has decided for all Kustomizations. */
export interface Policy {
  /** A readyExpr is asked besides the usual check of a dependency, not in its place. */
  additiveDependencyCheck: boolean
}

export function policyOf(config: Config<typeof settings>): Policy {
  return {
    additiveDependencyCheck: config['additive-cel-dependency-check'],
  }
}
