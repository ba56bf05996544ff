import type { KubeObject } from '@setpoint/manifest'
import {
  artifact,
  certSecretRef,
  duration,
  localReference,
  proxySecretRef,
  reconciledStatus,
  sourceTimeout,
} from './crd-common.ts'
import { boolean, type Infer, object, oneOf, optional, string } from './crd-schema.ts'

const sts = object('Where temporary credentials come from.', {
  provider: oneOf('Kind of the service.', ['aws', 'ldap']),
  endpoint: string('Address of the service.', { pattern: '^(http|https)://.*$' }),
  secretRef: optional(localReference('Secret with username and password, for ldap.')),
  certSecretRef: optional(certSecretRef),
})

const rules = [
  {
    rule: "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
    message: "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
  },
  {
    rule: "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
    message: "'aws' is the only supported STS provider for the 'aws' Bucket provider",
  },
  {
    rule: "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
    message: "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
  },
  {
    rule: "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
    message: "spec.sts.secretRef is not required for the 'aws' STS provider",
  },
  {
    rule: "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
    message: "spec.sts.certSecretRef is not required for the 'aws' STS provider",
  },
  {
    rule: "self.provider != 'generic' || !has(self.serviceAccountName)",
    message: "serviceAccountName is not supported for the 'generic' Bucket provider",
  },
  {
    rule: '!has(self.secretRef) || !has(self.serviceAccountName)',
    message: 'cannot set both .spec.secretRef and .spec.serviceAccountName',
  },
]

/** The schema of Bucket.spec. */
export const bucketSpec = object(
  'Which bucket to watch, and what of it makes the artifact.',
  {
    bucketName: string('Name of the bucket.'),
    endpoint: string('Host of the server, and its port if need be, such as minio.example.com:9000.'),
    interval: duration('How often to ask the server for news, with a little jitter.'),
    timeout: optional(sourceTimeout('How long one look at the bucket may take, with all that it downloads.')),
    provider: optional(
      oneOf(
        'How to log in: generic takes what secretRef holds, the others ask a cloud.',
        ['generic', 'aws', 'gcp', 'azure'],
        { default: 'generic' },
      ),
    ),
    sts: optional(sts),
    insecure: optional(boolean('Talk plain HTTP to the server.')),
    region: optional(string('Region of the bucket.')),
    prefix: optional(string('Only objects whose names begin with this.')),
    secretRef: optional(localReference('Secret with accesskey and secretkey.')),
    serviceAccountName: optional(string('ServiceAccount to log in as, with a cloud.')),
    certSecretRef: optional(certSecretRef),
    proxySecretRef: optional(proxySecretRef),
    ignore: optional(
      string('Patterns of objects to leave out, as in .gitignore. They come after .sourceignore.'),
    ),
    suspend: optional(boolean('Stop looking for news until this is false again.')),
  },
  rules,
)

/** The schema of Bucket.status. */
export const bucketStatus = object('What is known of the bucket.', {
  ...reconciledStatus,
  artifact: optional(artifact),
  observedIgnore: optional(string('The spec.ignore that the artifact was made with.')),
})

export type BucketSpec = Infer<typeof bucketSpec>
export type BucketStatus = Infer<typeof bucketStatus>

/** `source.toolkit.fluxcd.io/v1`, kind Bucket. */
export interface Bucket extends KubeObject {
  spec: BucketSpec
  status?: BucketStatus
}
