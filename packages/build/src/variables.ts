import { createHash } from 'node:crypto'
import type { Kustomization } from '@setpoint/contracts'
import { isVariableName, VARIABLE_NAME_PATTERN } from '@setpoint/envsubst'
import type { KubeObject } from '@setpoint/manifest'

/** The variables of spec.postBuild. digest changes when any of them does, and tells nothing about them. */
export interface Variables {
  values: ReadonlyMap<string, string>
  digest: string
  /** Some come from a Secret. */
  secret: boolean
}

/** A ConfigMap or Secret that holds variables is missing, or a variable has an impossible name. */
export class VariablesError extends Error {
  override name = 'VariablesError'
}

/** Reads one ConfigMap or Secret; undefined when there is none. */
export type ReadData = (
  kind: string,
  key: { namespace: string; name: string },
) => Promise<KubeObject | undefined>

/**
 * Reads substituteFrom in order, then substitute; later ones win. Undefined when nothing is to be substituted.
 * @throws VariablesError naming the reference or the variable; what `read` throws as it is.
 */
export async function readVariables(
  read: ReadData,
  kustomization: Kustomization,
): Promise<Variables | undefined> {
  const { postBuild } = kustomization.spec
  if (postBuild === undefined) return undefined
  const values = new Map<string, string>()
  for (const reference of postBuild.substituteFrom ?? [])
    for (const [name, value] of await readReference(read, kustomization, reference)) values.set(name, value)
  for (const [name, value] of Object.entries(postBuild.substitute ?? {})) values.set(name, oneLine(value))
  for (const name of values.keys())
    if (!isVariableName(name))
      throw new VariablesError(
        `variable name "${name}" in spec.postBuild must match ${VARIABLE_NAME_PATTERN}`,
      )
  if (values.size === 0 && postBuild.substituteStrategy !== 'Always') return undefined
  const secret = (postBuild.substituteFrom ?? []).some(({ kind }) => kind === 'Secret')
  return { values, digest: digestOf(values), secret }
}

async function readReference(
  read: ReadData,
  kustomization: Kustomization,
  reference: { kind: string; name: string; optional?: boolean | undefined },
): Promise<[string, string][]> {
  const namespace = kustomization.metadata.namespace ?? ''
  const object = await read(reference.kind, { namespace, name: reference.name })
  if (object === undefined) {
    if (reference.optional) return []
    throw new VariablesError(
      `${reference.kind} ${namespace}/${reference.name} of spec.postBuild.substituteFrom does not exist`,
    )
  }
  const data = Object.entries((object.data ?? {}) as Record<string, string>)
  const text = (value: string) =>
    reference.kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value
  return data.map(([name, value]) => [name, oneLine(text(value))])
}

/** The values go into the text of a manifest: a line break would change its structure, so Flux takes them away. */
const oneLine = (value: string): string => value.replaceAll('\n', '')

function digestOf(values: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [name, value] of [...values].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(JSON.stringify([name, value]))
  return hash.digest('hex')
}
