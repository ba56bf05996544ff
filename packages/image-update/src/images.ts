import type { ImagePolicy, ImageReference, ImageUpdateAutomation, LabelSelector } from '@setpoint/contracts'
import type { SetImage } from '@setpoint/image-setters'
import { stalled } from './errors.ts'

/** The policies that an automation obeys: those of its namespace that its selector takes. @throws UpdateError */
export function policiesOf(
  { metadata, spec }: ImageUpdateAutomation,
  all: readonly ImagePolicy[],
): ImagePolicy[] {
  const selects = compileSelector(spec.policySelector)
  return all.filter(
    (policy) => policy.metadata.namespace === metadata.namespace && selects(policy.metadata.labels ?? {}),
  )
}

/** The images to run, by the name of their policy. */
export function imagesOf(policies: readonly ImagePolicy[]): Record<string, ImageReference> {
  const images: [string, ImageReference][] = policies.flatMap(({ metadata, status }) =>
    status?.latestRef === undefined ? [] : [[metadata.name, status.latestRef]],
  )
  return Object.fromEntries(images.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The same images by what a marker calls them, `namespace:policy`. */
export function byMarker(policies: readonly ImagePolicy[]): Map<string, SetImage> {
  const images: [string, SetImage][] = policies.flatMap(({ metadata, spec, status }) => {
    if (status?.latestRef === undefined) return []
    const keepsDigest = spec.digestReflectionPolicy === 'IfNotPresent'
    return [[`${metadata.namespace}:${metadata.name}`, { ...status.latestRef, keepsDigest }]]
  })
  return new Map(images)
}

type Labels = Readonly<Record<string, string>>

function compileSelector({
  matchLabels = {},
  matchExpressions = [],
}: LabelSelector = {}): (labels: Labels) => boolean {
  const tests = matchExpressions.map(({ key, operator, values = [] }) => {
    const test = operators[operator]
    if (test === undefined || (values.length === 0) !== !operator.endsWith('In'))
      throw stalled(
        'InvalidPolicySelector',
        `spec.policySelector: "${key} ${operator}" with ${values.length} values is no condition`,
      )
    return (labels: Labels) => test(labels[key], values)
  })
  return (labels) =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    tests.every((holds) => holds(labels))
}

const operators: Record<string, (value: string | undefined, values: readonly string[]) => boolean> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
}
