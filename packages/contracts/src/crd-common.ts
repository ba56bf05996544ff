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

/** Parts of the specs and statuses that several kinds share. */

/** A Go duration of one or more parts with the units ms, s, m and h, such as `1h30m`. */
export function duration(description: string) {
  return string(description, { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' })
}

/** Timeouts of sources are never hours long: Flux leaves out the unit h. */
export function sourceTimeout(description: string) {
  return string(description, { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$', default: '60s' })
}

export function localReference(description: string) {
  return object(description, { name: string('Name of the object.') })
}

export const certSecretRef = localReference(
  'Secret with ca.crt for a private authority, and tls.crt and tls.key for a client.',
)

export const proxySecretRef = localReference('Secret with the address, username and password of a proxy.')

/** How a registry is reached: the same for OCIRepository and ImageRepository. */
export const registryAccess = {
  secretRef: optional(
    localReference('Secret with the credentials for the registry, of type kubernetes.io/dockerconfigjson.'),
  ),
  serviceAccountName: optional(string('ServiceAccount whose imagePullSecrets are used too.')),
  certSecretRef: optional(certSecretRef),
  proxySecretRef: optional(proxySecretRef),
  provider: optional(
    oneOf(
      'How to log in: generic takes what secretRef holds, the others ask a cloud.',
      ['generic', 'aws', 'azure', 'gcp'],
      { default: 'generic' },
    ),
  ),
  insecure: optional(boolean('Talk plain HTTP to the registry.')),
}

/** A reference to an object in the namespace of the object that holds the reference. */
export type LocalReference = Infer<ReturnType<typeof localReference>>

export const condition = object('One aspect of the state of this object.', {
  type: string('Name of the aspect, in CamelCase.', {
    maxLength: 316,
    pattern:
      '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
  }),
  status: oneOf('Whether the aspect holds.', ['True', 'False', 'Unknown']),
  observedGeneration: optional(
    integer('The metadata.generation that this condition speaks of.', { minimum: 0 }),
  ),
  lastTransitionTime: time('When the condition last changed.'),
  reason: string('Why, as one CamelCase word for programs.', {
    minLength: 1,
    maxLength: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
  }),
  message: string('Why, in words for people. May be empty.', { maxLength: 32768 }),
})

/** A status condition, as Kubernetes defines it. */
export type Condition = Infer<typeof condition>

export const artifact = object('The last artifact that this source produced.', {
  digest: string('Digest of the file, as <algorithm>:<hex>.', {
    pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$',
  }),
  lastUpdateTime: time('When this artifact was made.'),
  metadata: optional(stringMap('What the origin says of it, such as the annotations of an OCI image.')),
  path: string('Path of the file below the root of the artifact server.'),
  revision: string('What it was made of, readable by people, such as main@sha1:<commit>.'),
  size: optional(integer('Size of the file in bytes.')),
  url: string('Where the file can be fetched inside the cluster.'),
})

/** A source's artifact: a file that consumers fetch by its URL and check by its digest. */
export type Artifact = Infer<typeof artifact>

export const selector = object('Which objects are meant. All conditions that are given must hold.', {
  group: optional(string('API group.')),
  version: optional(string('API version.')),
  kind: optional(string('Kind, as an anchored regular expression.')),
  name: optional(string('Name, as an anchored regular expression.')),
  namespace: optional(string('Namespace, as an anchored regular expression.')),
  labelSelector: optional(string('Label selector, in the notation of kubectl.')),
  annotationSelector: optional(string('Selector over annotations, in the notation of label selectors.')),
})

/** kustomize's selector of objects, used by patches and drift rules. */
export type Selector = Infer<typeof selector>

export const labelSelector = object('Which objects are meant, by their labels; all when it is empty.', {
  matchLabels: optional(stringMap('Labels that an object must have.')),
  matchExpressions: optional(
    list(
      'Further conditions, which must all hold.',
      object('A condition on one label.', {
        key: string('Name of the label.'),
        operator: string('In, NotIn, Exists or DoesNotExist.'),
        values: optional(list('Values, for In and NotIn.', string('A value.'))),
      }),
    ),
  ),
})

/** Kubernetes' selector of objects by labels. */
export type LabelSelector = Infer<typeof labelSelector>

/** Status fields that every reconciled kind has. */
export const reconciledStatus = {
  conditions: optional(list('What is known of the state of this object.', condition)),
  lastHandledReconcileAt: optional(
    string('The last value of the annotation reconcile.fluxcd.io/requestedAt that was acted on.'),
  ),
  observedGeneration: optional(
    integer('The last metadata.generation that was dealt with; -1 before the first.'),
  ),
} as const
