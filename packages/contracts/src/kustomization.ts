import type { KubeObject } from '@setpoint/manifest'
import { duration, localReference, reconciledStatus, selector } from './crd-common.ts'
import {
  boolean,
  type Infer,
  integer,
  list,
  object,
  oneOf,
  optional,
  string,
  stringMap,
  time,
} from './crd-schema.ts'

const sourceReference = object('The source that holds the manifests.', {
  apiVersion: optional(string('API version of the source.')),
  kind: oneOf('Kind of the source.', ['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact']),
  name: string('Name of the source.'),
  namespace: optional(string('Namespace of the source; the own one when empty.')),
})

export type SourceReference = Infer<typeof sourceReference>

const dependency = object('A Kustomization that must be ready first.', {
  name: string('Its name.'),
  namespace: optional(string('Its namespace; the own one when empty.')),
  readyExpr: optional(string('CEL expression over self and dep that says whether it is ready.')),
})

export type DependencyReference = Infer<typeof dependency>

const commonMetadata = object('Labels and annotations that every object gets. They win over those in Git.', {
  labels: optional(stringMap('Labels.')),
  annotations: optional(stringMap('Annotations.')),
})

export type CommonMetadata = Infer<typeof commonMetadata>

const decryption = object('How encrypted manifests are decrypted.', {
  provider: oneOf('What they were encrypted with.', ['sops']),
  secretRef: optional(localReference('Secret with the private keys.')),
  serviceAccountName: optional(string('ServiceAccount to ask cloud key services as.')),
})

export type Decryption = Infer<typeof decryption>

const kubeConfigRules = [
  {
    rule: 'has(self.configMapRef) || has(self.secretRef)',
    message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
  },
  {
    rule: '!has(self.configMapRef) || !has(self.secretRef)',
    message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
  },
]

const kubeConfig = object(
  'Another cluster to apply to. Without it, the own cluster.',
  {
    secretRef: optional(
      object('Secret that holds a kubeconfig.', {
        name: string('Name of the Secret.'),
        key: optional(string('Key of the kubeconfig; value, then value.yaml, when empty.')),
      }),
    ),
    configMapRef: optional(
      localReference(
        'ConfigMap that says how to reach the cluster: provider, cluster, address, ca.crt, audiences, serviceAccountName.',
      ),
    ),
  },
  kubeConfigRules,
)

export type KubeConfigReference = Infer<typeof kubeConfig>

const substituteReference = object('A ConfigMap or Secret whose data are variables.', {
  kind: oneOf('Kind.', ['Secret', 'ConfigMap']),
  name: string('Name, in the namespace of the Kustomization.', { minLength: 1, maxLength: 253 }),
  optional: optional(boolean('Go on when it does not exist.', { default: false })),
})

export type SubstituteReference = Infer<typeof substituteReference>

const postBuild = object('Replaces variables, written as in a shell, in the built manifests.', {
  substitute: optional(stringMap('Variables and their values. They win over substituteFrom.')),
  substituteFrom: optional(list('Where more variables are. Later ones win.', substituteReference)),
  substituteStrategy: optional(
    oneOf('WithVariables (when empty) replaces only when some variable is defined, Always in any case.', [
      'WithVariables',
      'Always',
    ]),
  ),
})

export type PostBuild = Infer<typeof postBuild>

const patch = object('A patch, and what it is applied to.', {
  patch: string('A strategic merge patch or a list of JSON 6902 operations, as YAML.'),
  target: optional(selector),
})

export type Patch = Infer<typeof patch>

const image = object('An image to rename, or to set the tag or digest of.', {
  name: string('Name of the image in the manifests, without a tag.'),
  newName: optional(string('Name to use instead.')),
  newTag: optional(string('Tag to use instead.')),
  digest: optional(string('Digest to use instead of the tag. It wins over newTag.')),
})

export type Image = Infer<typeof image>

const healthCheck = object('An object whose health counts.', {
  apiVersion: optional(string('API version; apps/v1 when empty.')),
  kind: string('Kind.'),
  name: string('Name.'),
  namespace: optional(string('Namespace; the own one when empty.')),
})

export type HealthCheck = Infer<typeof healthCheck>

const healthCheckExpression = object('How to tell the health of a custom resource.', {
  apiVersion: string('API version of the custom resource.'),
  kind: optional(string('Its kind; every kind of the group when empty.')),
  inProgress: optional(string('CEL expression that is true while it is on its way.')),
  failed: optional(string('CEL expression that is true when it has failed.')),
  current: string('CEL expression that is true when it is as desired.'),
})

export type HealthCheckExpression = Infer<typeof healthCheckExpression>

const ignoreRule = object('Fields whose changes are no drift.', {
  paths: list('JSON pointers to the fields.', string('A JSON pointer.')),
  target: optional(selector),
})

export type IgnoreRule = Infer<typeof ignoreRule>

const affix = { minLength: 1, maxLength: 200 } as const

/** The schema of Kustomization.spec. */
export const kustomizationSpec = object(
  'What to build from which source, and how to keep the cluster to it.',
  {
    sourceRef: sourceReference,
    path: optional(string('Directory to build, below the root of the source.')),
    interval: duration(
      'How often to check the cluster against Git, even when nothing seems to have changed.',
    ),
    retryInterval: optional(duration('How long to wait after a failure; interval when empty.')),
    timeout: optional(
      duration(
        'How long applying and health checks may take; 30 s less than interval when empty, at least 30 s.',
      ),
    ),
    prune: boolean('Delete objects that are no longer in Git.'),
    deletionPolicy: optional(
      oneOf('What becomes of the objects when this Kustomization is deleted; MirrorPrune when empty.', [
        'MirrorPrune',
        'Delete',
        'WaitForTermination',
        'Orphan',
      ]),
    ),
    force: optional(
      boolean('Delete and create again what cannot be changed because a field is immutable.', {
        default: false,
      }),
    ),
    suspend: optional(boolean('Stop applying until this is false again.')),
    wait: optional(boolean('Ready only when every object is healthy. healthChecks is ignored then.')),
    healthChecks: optional(list('Ready only when these objects are healthy.', healthCheck)),
    healthCheckExprs: optional(list('How to tell the health of custom resources.', healthCheckExpression)),
    dependsOn: optional(list('Kustomizations that must be ready first.', dependency)),
    targetNamespace: optional(
      string('Namespace that every namespaced object is put into.', { minLength: 1, maxLength: 63 }),
    ),
    namePrefix: optional(string('Put before the name of every object.', affix)),
    nameSuffix: optional(string('Put after the name of every object.', affix)),
    commonMetadata: optional(commonMetadata),
    patches: optional(list('Patches, applied after those in Git.', patch)),
    images: optional(list('Images to change, after those in Git.', image)),
    components: optional(list('kustomize components to add.', string('A path relative to spec.path.'))),
    ignoreMissingComponents: optional(boolean('Leave out components that do not exist.')),
    buildMetadata: optional(
      list(
        'Annotations about the build that every object gets.',
        oneOf('A set of annotations.', ['originAnnotations', 'transformerAnnotations']),
      ),
    ),
    ignore: optional(list('Changes in the cluster to leave alone.', ignoreRule)),
    postBuild: optional(postBuild),
    decryption: optional(decryption),
    kubeConfig: optional(kubeConfig),
    serviceAccountName: optional(string('ServiceAccount of this namespace to act as.')),
  },
)

const inventoryEntry = object('One object.', {
  id: string('Its identity, as <namespace>_<name>_<group>_<kind>.'),
  v: string('The API version it was applied at.'),
})

const snapshot = object('Reconciliations of one build with one result.', {
  digest: string('sha256:<hex> of the built manifests.'),
  firstReconciled: time('When the first of them ended.'),
  lastReconciled: time('When the last of them ended.'),
  lastReconciledDuration: string('How long the last of them took.'),
  lastReconciledStatus: string('How they ended: the reason of Ready.'),
  totalReconciliations: integer('How many there were.'),
  metadata: optional(stringMap('More about the last of them, such as its revision.')),
})

/** One row of status.history. */
export type HistorySnapshot = Infer<typeof snapshot>

/** The schema of Kustomization.status. */
export const kustomizationStatus = object('What was applied, and how that went.', {
  ...reconciledStatus,
  history: optional(list('The last five builds, newest first.', snapshot)),
  inventory: optional(
    object('The objects that were applied and are kept.', { entries: list('The objects.', inventoryEntry) }),
  ),
  lastAppliedRevision: optional(string('The revision that was applied last without an error.')),
  lastAppliedOriginRevision: optional(
    string('The revision at the origin of that artifact, where it says so.'),
  ),
  lastAttemptedRevision: optional(string('The revision that was tried last.')),
})

export type KustomizationSpec = Infer<typeof kustomizationSpec>
export type KustomizationStatus = Infer<typeof kustomizationStatus>

/** `kustomize.toolkit.fluxcd.io/v1`, kind Kustomization. */
export interface Kustomization extends KubeObject {
  spec: KustomizationSpec
  status?: KustomizationStatus
}
