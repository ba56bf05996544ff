import type { Config } from '@setpoint/service'
import type { settings } from './config.ts'

/** What whoever runs the service has decided for all Kustomizations. */
export interface Policy {
  /** A readyExpr is asked besides the usual check of a dependency, not in its place. */
  additiveDependencyCheck: boolean
  /** The service account, in its own namespace, of a Kustomization that names none; '' for our own identity. */
  defaultServiceAccount: string
  /** A kubeconfig in a Secret may start a credential plugin. */
  allowKubeconfigExec: boolean
  /** A kubeconfig in a Secret may turn off certificate checks. */
  allowKubeconfigInsecureTls: boolean
  /** The ServiceAccount, in its own namespace, for a ConfigMap of spec.kubeConfig that names none; '' for our own identity. */
  defaultKubeConfigAccount: string
  /** A ConfigMap of spec.kubeConfig may name the ServiceAccount that a cloud is asked as. */
  objectLevelIdentity: boolean
  /** `<group>/<kind>` of what is applied before the rest of a set. */
  customStageKinds: ReadonlySet<string>
  /** Beginnings of the names of managers whose fields become ours, besides kubectl. */
  overrideManagers: readonly string[]
}

export function policyOf(config: Config<typeof settings>): Policy {
  return {
    additiveDependencyCheck: config['additive-cel-dependency-check'],
    defaultServiceAccount: config['default-service-account'],
    allowKubeconfigExec: config['insecure-kubeconfig-exec'],
    allowKubeconfigInsecureTls: config['insecure-kubeconfig-tls'],
    defaultKubeConfigAccount: config['default-kubeconfig-service-account'],
    objectLevelIdentity: config['object-level-workload-identity'],
    customStageKinds: new Set(config['custom-apply-stage-kinds']),
    overrideManagers: config['override-manager'],
  }
}
