import type { ImageRepository } from '@setpoint/contracts'
import type { ImageContext } from '../context.ts'

const NAMESPACE = { group: '', version: 'v1', kind: 'Namespace' }

/** True when spec.accessFrom lets a namespace in. */
export async function allows(
  context: ImageContext,
  { spec }: ImageRepository,
  namespace: string,
): Promise<boolean> {
  const selectors = spec.accessFrom?.namespaceSelectors ?? []
  if (selectors.length === 0) return false
  const found = await context.kube.get(NAMESPACE, { name: namespace }, { metadataOnly: true })
  const labels = found?.metadata.labels ?? {}
  return selectors.some(({ matchLabels = {} }) =>
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value),
  )
}
