import type { KubeObject } from '@setpoint/manifest'
import { duration, labelSelector, localReference, reconciledStatus } from './crd-common.ts'
import { boolean, type Infer, map, object, oneOf, optional, string, stringMap, time } from './crd-schema.ts'
import { gitReference } from './git-repository.ts'
import { imageReference } from './image-policy.ts'

const signingKey = object('The key that signs the commits.', {
  secretRef: localReference('Secret with git.asc and passphrase for gpg, or identity and password for ssh.'),
  type: optional(oneOf('What kind of key it is.', ['gpg', 'ssh'], { default: 'gpg' })),
})

const commit = object('What a commit looks like.', {
  author: object('Who the author and committer is.', {
    name: optional(string('Name of the author.')),
    email: string('Address of the author.'),
  }),
  messageTemplate: optional(string('Go template of the message.')),
  messageTemplateValues: optional(stringMap('What the template sees as .Values.')),
  signingKey: optional(signingKey),
})

const push = object('Where commits go; the branch that was checked out when left out.', {
  branch: optional(string('Branch to push to; it is made when it does not exist.')),
  refspec: optional(string('Refspec to push too, such as refs/heads/main:refs/for/main.')),
  options: optional(stringMap('Push options for the server, as of git push -o.')),
})

const git = object('How the repository is read and written.', {
  checkout: optional(
    object('What to check out instead of the ref of the GitRepository.', { ref: gitReference }),
  ),
  commit,
  push: optional(push),
})

const update = object('What is changed in the files.', {
  path: optional(string('Directory below which files are changed; the whole repository when left out.')),
  strategy: optional(oneOf('How images are found in the files.', ['Setters'], { default: 'Setters' })),
})

/** The schema of ImageUpdateAutomation.spec. */
export const imageUpdateAutomationSpec = object('Which repository gets the images that policies chose.', {
  sourceRef: object('The Git repository to write to.', {
    kind: oneOf('Kind of the source.', ['GitRepository'], { default: 'GitRepository' }),
    name: string('Name of the source.'),
    namespace: optional(string('Namespace of the source; that of this object when left out.')),
  }),
  interval: duration('How often to look at the repository, besides when a policy chooses another image.'),
  policySelector: optional(labelSelector),
  update: optional(update, { strategy: 'Setters' }),
  git: optional(git),
  suspend: optional(boolean('Stop updating until this is false again.')),
})

/** The schema of ImageUpdateAutomation.status. */
export const imageUpdateAutomationStatus = object('What was done last.', {
  ...reconciledStatus,
  lastAutomationRunTime: optional(time('When the repository was last looked at.')),
  lastPushCommit: optional(string('The last commit that was pushed.')),
  lastPushTime: optional(time('When it was pushed.')),
  observedPolicies: optional(map('The images of the last run, by policy.', imageReference)),
  observedSourceRevision: optional(string('The revision of the repository at the last run.')),
})

export type ImageUpdateAutomationSpec = Infer<typeof imageUpdateAutomationSpec>
export type ImageUpdateAutomationStatus = Infer<typeof imageUpdateAutomationStatus>

/** `image.toolkit.fluxcd.io/v1`, kind ImageUpdateAutomation. */
export interface ImageUpdateAutomation extends KubeObject {
  spec: ImageUpdateAutomationSpec
  status?: ImageUpdateAutomationStatus
}
