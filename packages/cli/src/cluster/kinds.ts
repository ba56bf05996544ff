import {
  BUCKET,
  EXTERNAL_ARTIFACT,
  GIT_REPOSITORY,
  IMAGE_POLICY,
  IMAGE_REPOSITORY,
  IMAGE_UPDATE_AUTOMATION,
  KUSTOMIZATION,
  OCI_REPOSITORY,
} from '@setpoint/contracts'
import { UsageError } from '../errors.ts'

/** One of the kinds that Setpoint reconciles. */
export interface ManagedKind {
  ref:
    | typeof GIT_REPOSITORY
    | typeof OCI_REPOSITORY
    | typeof EXTERNAL_ARTIFACT
    | typeof BUCKET
    | typeof KUSTOMIZATION
    | typeof IMAGE_REPOSITORY
    | typeof IMAGE_POLICY
    | typeof IMAGE_UPDATE_AUTOMATION
  /** As `get` and messages write it. */
  singular: string
  /** What the command line takes for it; Flux's spellings are among them. */
  spellings: readonly string[]
}

export const gitRepository: ManagedKind = {
  ref: GIT_REPOSITORY,
  singular: 'gitrepository',
  spellings: ['gitrepository', 'gitrepositories', 'gitrepo', 'gitrepos', 'git'],
}

export const ociRepository: ManagedKind = {
  ref: OCI_REPOSITORY,
  singular: 'ocirepository',
  spellings: ['ocirepository', 'ocirepositories', 'ocirepo', 'ocirepos', 'oci'],
}

export const bucket: ManagedKind = {
  ref: BUCKET,
  singular: 'bucket',
  spellings: ['bucket', 'buckets'],
}

/** Made and looked after by others; `get` shows it. */
export const externalArtifact: ManagedKind = {
  ref: EXTERNAL_ARTIFACT,
  singular: 'externalartifact',
  spellings: ['externalartifact', 'externalartifacts', 'ea', 'external'],
}

/** The kinds that Kustomizations take their files from and that Setpoint reconciles. */
export const sourceKinds: readonly ManagedKind[] = [gitRepository, ociRepository, bucket]

/** All kinds that `get sources` shows. */
export const shownSourceKinds: readonly ManagedKind[] = [...sourceKinds, externalArtifact]

export const kustomization: ManagedKind = {
  ref: KUSTOMIZATION,
  singular: 'kustomization',
  spellings: ['kustomization', 'kustomizations', 'ks'],
}

export const imageRepository: ManagedKind = {
  ref: IMAGE_REPOSITORY,
  singular: 'imagerepository',
  spellings: ['imagerepository', 'imagerepositories', 'imgrepo', 'imagerepo'],
}

export const imagePolicy: ManagedKind = {
  ref: IMAGE_POLICY,
  singular: 'imagepolicy',
  spellings: ['imagepolicy', 'imagepolicies', 'imgpol', 'imagepol'],
}

export const imageUpdateAutomation: ManagedKind = {
  ref: IMAGE_UPDATE_AUTOMATION,
  singular: 'imageupdateautomation',
  spellings: ['imageupdateautomation', 'imageupdateautomations', 'iua', 'imgupd', 'imgauto'],
}

/** The kinds of image automation, in the order in which work flows through them. */
export const imageKinds: readonly ManagedKind[] = [imageRepository, imagePolicy, imageUpdateAutomation]

/** What follows `image`, as the flux CLI has it. */
const IMAGE_WORDS: Record<string, ManagedKind> = {
  repository: imageRepository,
  policy: imagePolicy,
  update: imageUpdateAutomation,
}

const managedKinds: readonly ManagedKind[] = [...shownSourceKinds, kustomization, ...imageKinds]

/** What the shell may complete after `reconcile`, `suspend` and `resume`. */
export const kindWords: readonly string[] = [
  'kustomization',
  'gitrepository',
  'ocirepository',
  'bucket',
  'source',
  'image',
]

export interface Target {
  kind: ManagedKind
  /** Empty when no name was given. */
  names: string[]
}

/**
 * Reads what a command is about: `kustomization NAME`, `ks NAME`, `source oci NAME`, `gitrepository/NAME`.
 * @throws UsageError when the kind is missing or unknown.
 */
export function readTarget(args: readonly string[]): Target {
  const [first = '', ...rest] = args
  if (first === '') throw new UsageError('say what: a kind and a name, such as "kustomization apps"')
  const slash = first.indexOf('/')
  if (slash >= 0) return { kind: findKind(first.slice(0, slash)), names: [first.slice(slash + 1), ...rest] }
  if (/^sources?$/i.test(first)) return readSourceTarget(rest)
  if (/^images?$/i.test(first)) return readImageTarget(rest)
  return { kind: findKind(first), names: rest }
}

/** One target with exactly one name, of a kind that Setpoint reconciles. */
export function readReconciledTarget(args: readonly string[]): { kind: ManagedKind; name: string } {
  const target = readOneTarget(args)
  if (target.kind === externalArtifact)
    throw new UsageError('an ExternalArtifact is made by others, who may have a way to make it anew')
  return target
}

/** One target with exactly one name. */
export function readOneTarget(args: readonly string[]): { kind: ManagedKind; name: string } {
  const { kind, names } = readTarget(args)
  const [name, ...more] = names
  if (name === undefined || name === '') throw new UsageError(`give the name of the ${kind.singular}`)
  if (more.length > 0) throw new UsageError(`one name only, not also "${more.join(' ')}"`)
  return { kind, name }
}

function readImageTarget([type = '', ...names]: readonly string[]): Target {
  const kind = IMAGE_WORDS[type.toLowerCase()]
  if (kind === undefined)
    throw new UsageError(
      `"${type}" is no image kind; take "image repository", "image policy" or "image update"`,
    )
  return { kind, names }
}

function readSourceTarget(rest: readonly string[]): Target {
  const [type = '', ...names] = rest
  const kind = findKind(type)
  if (!shownSourceKinds.includes(kind))
    throw new UsageError(`"${type}" is no kind of source; take "source git", "source oci" or "source bucket"`)
  return { kind, names }
}

function findKind(spelling: string): ManagedKind {
  const wanted = spelling.toLowerCase()
  const found = managedKinds.find(({ spellings }) => spellings.includes(wanted))
  if (found === undefined)
    throw new UsageError(
      `unknown kind "${spelling}"; take kustomization (ks), gitrepository (source git), ocirepository (source oci), bucket or image repository, policy or update`,
    )
  return found
}
