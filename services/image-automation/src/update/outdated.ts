import {
  DEFAULT_EXCLUSION_LIST,
  type ImagePolicy,
  type ImageRepository,
  parseDuration,
} from '@setpoint/contracts'
import { compilePatterns, compilePolicy, PolicyError } from '@setpoint/image-policy'
import type { FileChange } from '@setpoint/image-update'
import { keyOf } from '@setpoint/kube'
import { parseImageName, RegistryError } from '@setpoint/registry'
import type { ImageContext } from '../context.ts'
import { keyOfReference } from '../policy/choose.ts'
import { readAccess } from '../scan/registry-access.ts'

/** Git knows of an image that we have not seen yet; a new look at the registry is under way. Nothing was written. */
export class Outdated extends Error {
  override name = 'Outdated'
}

/** A value in Git that would be replaced, with the policy that asks for it. */
interface Doubt {
  policy: ImagePolicy
  repository: ImageRepository
  /** Of the same image as the policy's. */
  tag: string
  digest: string | undefined
}

/**
 * Another cluster with the same automation may have seen an image before we have. What it wrote is not undone because
 * our look at the registry is the older one: where our own policy would take the tag or digest that Git has, the registry
 * is asked, and looked at anew.
 * @throws Outdated when our view is the older one; RegistryError, ReconcileError when the registry cannot be asked
 */
export async function refuseOutdated(
  context: ImageContext,
  changes: readonly FileChange[],
  signal: AbortSignal,
): Promise<void> {
  const doubts = new Map<string, Doubt>()
  for (const change of changes) {
    const doubt = doubtOf(context, change)
    if (doubt !== undefined) doubts.set(JSON.stringify([keyOf(doubt.policy), doubt.tag, doubt.digest]), doubt)
  }
  let isOutdated = false
  for (const doubt of doubts.values()) isOutdated = (await lookAgain(context, doubt, signal)) || isOutdated
  if (isOutdated) throw new Outdated('Git knows of a newer image than this cluster')
}

function doubtOf(context: ImageContext, { setter, oldValue }: FileChange): Doubt | undefined {
  const [namespace = '', name = '', part = 'image'] = setter.split(':')
  const policy = context.policies.get(`${namespace}/${name}`)
  const latest = policy?.status?.latestRef
  if (policy === undefined || latest === undefined) return undefined
  const repository = context.repositories.get(keyOfReference(policy))
  if (repository === undefined) return undefined
  const there = valueIn(part, oldValue, latest.name)
  if (there?.tag !== undefined && there.tag !== latest.tag)
    return isHigher(policy, there.tag, latest.tag)
      ? { policy, repository, tag: there.tag, digest: undefined }
      : undefined
  const isOther = there?.digest !== undefined && there.digest !== latest.digest
  const isReflected = policy.spec.digestReflectionPolicy === 'Always'
  return isOther && isReflected ? { policy, repository, tag: latest.tag, digest: there.digest } : undefined
}

/** True when the policy itself would take the tag that Git has, if it knew of it. */
function isHigher({ spec }: ImagePolicy, there: string, latest: string): boolean {
  try {
    return compilePolicy(spec).judge([there, latest]).chosen === there
  } catch (error) {
    if (error instanceof PolicyError) return false
    throw error
  }
}

/** Tag and digest of a value of the same image; undefined for another image and for what is none. */
function valueIn(part: string, value: string, name: string): { tag?: string; digest?: string } | undefined {
  if (part === 'tag') return isTag(value) ? { tag: value } : undefined
  if (part === 'digest') return { digest: value }
  if (part !== 'image' || !value.startsWith(`${name}:`)) return undefined
  const [tag = '', digest] = value.slice(name.length + 1).split('@')
  return isTag(tag) ? { tag, ...(digest === undefined ? {} : { digest }) } : undefined
}

const isTag = (text: string): boolean => /^\w[\w.-]{0,127}$/.test(text)

/** True when the registry has what Git has: then whoever owns the image looks again. */
async function lookAgain(
  context: ImageContext,
  { policy, repository, tag, digest }: Doubt,
  signal: AbortSignal,
): Promise<boolean> {
  const { spec } = repository
  if (
    digest === undefined &&
    compilePatterns(spec.exclusionList ?? [...DEFAULT_EXCLUSION_LIST], 'spec.exclusionList')(tag)
  )
    return false
  const image = parseImageName(spec.image)
  const call = { timeoutMs: parseDuration(spec.timeout ?? spec.interval), signal }
  const access = await readAccess(context, repository, image, call)
  const there = await context.registry.resolveDigest(image, tag, access, call).catch(undefinedWhenNotFound)
  if (digest !== undefined) {
    if (there === policy.status?.latestRef?.digest) return false
    context.chooseNow(keyOf(policy))
    return true
  }
  if (there === undefined) return false
  context.scanNow(keyOfReference(policy))
  return true
}

function undefinedWhenNotFound(error: unknown): undefined {
  if (error instanceof RegistryError && error.code === 'NotFound') return undefined
  throw error
}
