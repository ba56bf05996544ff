import { stringify } from 'yaml'
import { type CustomResourceDefinition, customResourceDefinitions } from './crd.ts'

const HEADER = '# Generated from packages/contracts by `pnpm run generate`. Do not edit.\n'

/**
 * The files of the Helm chart that are made from the definitions: path below the repository's root → text.
 * crds/ is for people and `kubectl apply`. templates/crds/ is what Helm installs, so that an upgrade of the
 * chart upgrades the definitions too (Helm never touches what it installed from crds/).
 */
export function crdFiles(): Record<string, string> {
  const files: Record<string, string> = {}
  for (const definition of customResourceDefinitions()) {
    const name = `${definition.metadata.name}.yaml`
    files[`charts/setpoint/crds/${name}`] = HEADER + toYaml(definition)
    files[`charts/setpoint/templates/crds/${name}`] = helmTemplate(definition)
  }
  return files
}

/** The same definition, left out by crds.install=false and kept when the release is uninstalled. */
function helmTemplate(definition: CustomResourceDefinition): string {
  const { labels, annotations } = definition.metadata
  const kept = {
    ...definition,
    metadata: {
      ...definition.metadata,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { ...annotations, 'helm.sh/resource-policy': 'keep' },
    },
  }
  return `{{- /* ${HEADER.slice(2).trimEnd()} */}}\n{{- if .Values.crds.install }}\n${toYaml(kept)}{{- end }}\n`
}

function toYaml(definition: CustomResourceDefinition): string {
  return stringify(definition, { lineWidth: 110, aliasDuplicateObjects: false, version: '1.1' })
}
