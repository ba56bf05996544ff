import { stringify } from 'yaml'

/** The text of a ConfigMap for a file of a fleet repository. */
export function configMapYaml(
  name: string,
  data: Record<string, string> = { key: 'value' },
  namespace?: string,
): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: namespace === undefined ? { name } : { name, namespace },
    data,
  })
}

/** The text of a kustomization file. */
export function kustomizationYaml(fields: object): string {
  return stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...fields })
}

export const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' }
