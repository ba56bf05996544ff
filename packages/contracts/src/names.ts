/** Names that Flux fixed and that its CLI, dashboards and users' manifests rely on. Source: Flux's API packages. */

export const SOURCE_GROUP = 'source.toolkit.fluxcd.io'
export const KUSTOMIZE_GROUP = 'kustomize.toolkit.fluxcd.io'
export const IMAGE_GROUP = 'image.toolkit.fluxcd.io'

export const GIT_REPOSITORY = { group: SOURCE_GROUP, version: 'v1', kind: 'GitRepository' } as const
export const OCI_REPOSITORY = { group: SOURCE_GROUP, version: 'v1', kind: 'OCIRepository' } as const
export const BUCKET = { group: SOURCE_GROUP, version: 'v1', kind: 'Bucket' } as const
export const EXTERNAL_ARTIFACT = { group: SOURCE_GROUP, version: 'v1', kind: 'ExternalArtifact' } as const
export const KUSTOMIZATION = { group: KUSTOMIZE_GROUP, version: 'v1', kind: 'Kustomization' } as const
export const IMAGE_REPOSITORY = { group: IMAGE_GROUP, version: 'v1', kind: 'ImageRepository' } as const
export const IMAGE_POLICY = { group: IMAGE_GROUP, version: 'v1', kind: 'ImagePolicy' } as const
export const IMAGE_UPDATE_AUTOMATION = {
  group: IMAGE_GROUP,
  version: 'v1',
  kind: 'ImageUpdateAutomation',
} as const

/** Held while our own clean-up (artifact, prune) is not done. */
export const FINALIZER = 'finalizers.fluxcd.io'

/** A changed value asks for one reconciliation now; it is copied to status.lastHandledReconcileAt. */
export const REQUESTED_AT_ANNOTATION = 'reconcile.fluxcd.io/requestedAt'

/** Holds a Kustomization at an earlier build: what `setpoint rollback` writes and `setpoint resume` removes. */
export const ROLLBACK_ANNOTATION = 'setpoint.dev/rollback'

/** Owner labels on every applied object: which Kustomization it belongs to. */
export const OWNER_NAME_LABEL = 'kustomize.toolkit.fluxcd.io/name'
export const OWNER_NAMESPACE_LABEL = 'kustomize.toolkit.fluxcd.io/namespace'

/** Per-object switches, as a label or an annotation; the value is compared without regard to case. */
export const RECONCILE_SWITCH = 'kustomize.toolkit.fluxcd.io/reconcile'
export const SSA_SWITCH = 'kustomize.toolkit.fluxcd.io/ssa'
export const FORCE_SWITCH = 'kustomize.toolkit.fluxcd.io/force'
export const PRUNE_SWITCH = 'kustomize.toolkit.fluxcd.io/prune'
export const SUBSTITUTE_SWITCH = 'kustomize.toolkit.fluxcd.io/substitute'
export const DECRYPT_SWITCH = 'kustomize.toolkit.fluxcd.io/decrypt'

/** Wishes of a Kustomization that Flux does not have; kustomization-wishes.ts reads them. */
export const DRIFT_ANNOTATION = 'setpoint.dev/drift'
export const APPLY_ANNOTATION = 'setpoint.dev/apply'
export const PRUNE_BUDGET_ANNOTATION = 'setpoint.dev/prune-budget'
export const PRUNE_APPROVE_ANNOTATION = 'setpoint.dev/prune-approve'

/** The annotation of an OCI manifest, and of an artifact's metadata, that names what it was made of. */
export const ORIGIN_REVISION = 'org.opencontainers.image.revision'
export const ORIGIN_SOURCE = 'org.opencontainers.image.source'

/** The field manager of everything that a Kustomization applies. */
export const APPLY_FIELD_MANAGER = 'kustomize-controller'
/** The field managers of status and finalizer writes, by owner of the kind. */
export const KUSTOMIZATION_FIELD_MANAGER = 'gotk-kustomize-controller'
export const SOURCE_FIELD_MANAGER = 'source-controller'
export const IMAGE_REFLECTOR_FIELD_MANAGER = 'image-reflector-controller'
export const IMAGE_AUTOMATION_FIELD_MANAGER = 'image-automation-controller'

/** What reads of status and events show as their origin. */
export const REPORTING_CONTROLLERS = {
  source: 'source-controller',
  apply: 'kustomize-controller',
  imageAutomation: 'image-automation-controller',
} as const

export const CONDITION = {
  ready: 'Ready',
  reconciling: 'Reconciling',
  stalled: 'Stalled',
  healthy: 'Healthy',
  /** Objects left the set, but deleting them waits for an approval. */
  pruneBlocked: 'PruneBlocked',
  /** Somebody else changed what Git says, and it stays so for now. */
  drifted: 'Drifted',
  /** Another Kustomization declares the same object. */
  conflict: 'Conflict',
} as const

/** Ready=True of a Kustomization, and the history's word for a build that worked. */
export const REASON_SUCCEEDED = 'ReconciliationSucceeded'

/** A field is set whose behaviour is not built yet: Ready=False and Stalled=True with this reason. */
export const REASON_NOT_IMPLEMENTED = 'NotImplemented'

/** An annotation has a value that nobody defined: Ready=False and Stalled=True with this reason. */
export const REASON_INVALID_ANNOTATION = 'InvalidAnnotation'
