import { type Kustomization, REQUESTED_AT_ANNOTATION } from '@setpoint/contracts'

/** `<namespace>/<name>`. */
export const keyOf = (metadata: { namespace?: string; name: string }): string =>
  `${metadata.namespace ?? ''}/${metadata.name}`

/** The source of a Kustomization, with the namespace filled in. */
export function sourceOf(kustomization: Kustomization): { kind: string; namespace: string; name: string } {
  const { kind, name } = kustomization.spec.sourceRef
  return { kind, name, namespace: sourceNamespace(kustomization) }
}

const sourceNamespace = ({ spec: { sourceRef }, metadata }: Kustomization): string =>
  sourceRef.namespace || (metadata.namespace ?? '')

/** `<kind>/<namespace>/<name>`. */
export const sourceKey = (source: { kind: string; namespace: string; name: string }): string =>
  `${source.kind}/${source.namespace}/${source.name}`

/** Those whose source has this key, which is asked of every one at every commit. @param key of sourceKey */
export function withSource(kustomizations: readonly Kustomization[], key: string): Kustomization[] {
  const [kind, namespace, name] = key.split('/')
  return kustomizations.filter((one) => {
    const { sourceRef } = one.spec
    return sourceRef.name === name && sourceRef.kind === kind && sourceNamespace(one) === namespace
  })
}

/** The value of the annotation that asks for a reconciliation; '' when there is none. */
export const requestOf = (kustomization: Kustomization): string =>
  kustomization.metadata.annotations?.[REQUESTED_AT_ANNOTATION] ?? ''

/** The keys of all that some of these depend on. */
export function dependenciesOf(kustomizations: readonly Kustomization[]): Set<string> {
  const keys = new Set<string>()
  for (const { spec, metadata } of kustomizations)
    for (const { name, namespace } of spec.dependsOn ?? [])
      keys.add(keyOf({ name, namespace: namespace || (metadata.namespace ?? '') }))
  return keys
}
