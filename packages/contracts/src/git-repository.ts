import type { KubeObject } from '@setpoint/manifest'
import {
  artifact,
  duration,
  localReference,
  proxySecretRef,
  reconciledStatus,
  sourceTimeout,
} from './crd-common.ts'
import { boolean, type Infer, list, object, oneOf, optional, string } from './crd-schema.ts'

export const gitReference = object(
  'Which commit to take: commit, else name, else tag, else semver, else branch.',
  {
    branch: optional(string('A branch. Without any field of ref it is master.')),
    tag: optional(string('A tag.')),
    semver: optional(string('A range of semantic versions; the newest tag within it is taken.')),
    name: optional(string('Full name of any reference, such as refs/heads/main or refs/pull/7/head.')),
    commit: optional(string('Full hash of one commit. With branch, it is looked for on that branch.')),
  },
)

/** Which commit of a repository is meant. */
export type GitRepositoryRef = Infer<typeof gitReference>

const verificationModes = ['head', 'HEAD', 'Tag', 'TagAndHEAD'] as const

const verification = object('Which signatures must be valid before a commit is taken.', {
  mode: optional(
    oneOf(
      'What must be signed: the commit (HEAD, or its old name head), the tag, or both.',
      verificationModes,
      {
        default: 'HEAD',
      },
    ),
  ),
  secretRef: localReference('Secret with the trusted public keys: *.asc for PGP, *.sshpub for SSH.'),
})

export type GitRepositoryVerification = Infer<typeof verification>

const include = object('Another GitRepository whose files are added to this artifact.', {
  repository: localReference('The GitRepository, in the same namespace.'),
  fromPath: optional(string('Directory to take; the whole artifact when empty.')),
  toPath: optional(string('Where to put it; the name of the GitRepository when empty.')),
})

export type GitRepositoryInclude = Infer<typeof include>

const onlyClouds = {
  rule: "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
  message: "serviceAccountName can only be set when provider is 'azure' or 'aws'",
}

/** The schema of GitRepository.spec. */
export const gitRepositorySpec = object(
  'Which Git repository to watch, and what of it makes the artifact.',
  {
    url: string('Address of the repository, by http, https or ssh.', { pattern: '^(http|https|ssh)://.*$' }),
    interval: duration('How often to ask the repository for news, with a little jitter.'),
    timeout: optional(sourceTimeout('How long one Git operation may take.')),
    ref: optional(gitReference),
    secretRef: optional(
      localReference(
        'Secret with credentials: username and password, or bearerToken; ca.crt for a private authority; for ssh, identity and known_hosts.',
      ),
    ),
    provider: optional(
      oneOf('How to log in: generic takes what secretRef holds, the others ask a cloud.', [
        'generic',
        'aws',
        'azure',
        'github',
      ]),
    ),
    serviceAccountName: optional(
      string('ServiceAccount to log in as; for the providers aws and azure only.'),
    ),
    proxySecretRef: optional(proxySecretRef),
    verify: optional(verification),
    ignore: optional(
      string('Patterns of files to leave out, as in .gitignore. They come after .sourceignore files.'),
    ),
    include: optional(list('Other GitRepositories to add.', include)),
    recurseSubmodules: optional(boolean('Also fetch submodules.')),
    sparseCheckout: optional(list('Directories to take. Without it, all are taken.', string('A directory.'))),
    suspend: optional(boolean('Stop looking for news until this is false again.')),
  },
  [onlyClouds],
)

/** The schema of GitRepository.status. */
export const gitRepositoryStatus = object('What is known of the repository.', {
  ...reconciledStatus,
  artifact: optional(artifact),
  includedArtifacts: optional(list('The artifacts that spec.include added.', artifact)),
  observedIgnore: optional(string('The spec.ignore that the artifact was made with.')),
  observedInclude: optional(list('The spec.include that the artifact was made with.', include)),
  observedRecurseSubmodules: optional(boolean('The spec.recurseSubmodules that the artifact was made with.')),
  observedSparseCheckout: optional(
    list('The spec.sparseCheckout that the artifact was made with.', string('A directory.')),
  ),
  sourceVerificationMode: optional(oneOf('What was verified last.', verificationModes)),
})

export type GitRepositorySpec = Infer<typeof gitRepositorySpec>
export type GitRepositoryStatus = Infer<typeof gitRepositoryStatus>

/** `source.toolkit.fluxcd.io/v1`, kind GitRepository. */
export interface GitRepository extends KubeObject {
  spec: GitRepositorySpec
  status?: GitRepositoryStatus
}
