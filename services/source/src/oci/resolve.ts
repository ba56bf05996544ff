import type { OCIRepositorySpec } from '@setpoint/contracts'
import { parseRange, parseVersion, type Version } from '@setpoint/versions'
import { RE2JS } from 're2js'
import { SourceFailure } from '../failure.ts'
import type { OciContext, Remote } from './oci-context.ts'

type Reference = NonNullable<OCIRepositorySpec['ref']>

/** The manifest that a reference stands for now. */
export interface Target {
  /** `<tag>@sha256:<hex>`, or the digest alone when that is what the spec names. */
  revision: string
  digest: string
}

const MAX_FILTER = 1_000

/** Asks the registry; downloads no manifest. digest counts before semver, semver before tag. @throws RegistryError, SourceFailure */
export async function resolveTarget(
  context: OciContext,
  remote: Remote,
  ref: Reference = {},
): Promise<Target> {
  if (ref.digest) return { revision: checkedDigest(ref.digest), digest: ref.digest }
  const tag = ref.semver
    ? await newestTag(context, remote, ref.semver, ref.semverFilter)
    : ref.tag || 'latest'
  const { image, access, call } = remote
  const digest = await context.registry.resolveDigest(image, tag, access, call)
  return { revision: `${tag}@${digest}`, digest }
}

async function newestTag(
  context: OciContext,
  { image, access, call }: Remote,
  semver: string,
  filter = '',
): Promise<string> {
  const range = parseRange(semver)
  if (range === undefined) throw unreadable(`spec.ref.semver "${semver}" is no range of semantic versions`)
  const passes = compileFilter(filter)
  context.metrics.listed()
  const tags = await context.registry.listTags(image, access, call)
  let newest: { tag: string; version: Version } | undefined
  for (const tag of tags) {
    const version = passes(tag) ? parseVersion(tag) : undefined
    if (version === undefined || !range.test(version)) continue
    if (newest === undefined || version.compare(newest.version) > 0) newest = { tag, version }
  }
  if (newest === undefined)
    throw unreadable(`none of the ${tags.length} tags of ${image.canonical} is within "${semver}"`)
  return newest.tag
}

/** An RE2 expression: its time is linear in the tag. */
function compileFilter(filter: string): (tag: string) => boolean {
  if (filter === '') return () => true
  try {
    if (filter.length > MAX_FILTER) throw new Error(`it is longer than ${MAX_FILTER} characters`)
    const expression = RE2JS.compile(filter)
    return (tag) => expression.matcher(tag).find()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw unreadable(`spec.ref.semverFilter "${filter.slice(0, MAX_FILTER)}" cannot be used: ${reason}`)
  }
}

function checkedDigest(digest: string): string {
  if (/^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$/.test(digest)) return digest
  throw unreadable(`spec.ref.digest "${digest}" is no digest such as sha256:<64 hex digits>`)
}

function unreadable(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'ReadOperationFailed', message)
}
