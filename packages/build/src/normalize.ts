import { OWNER_NAME_LABEL, OWNER_NAMESPACE_LABEL } from '@setpoint/contracts'
import type { Json, JsonObject } from '@setpoint/manifest'

export interface Owner {
  namespace: string
  name: string
}

export interface CommonMetadata {
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/**
 * Brings a built object into the form that is applied, as Flux does: owner labels, no status (but of CRDs), stringData
 * as data, ports with their default protocol, and last the common metadata.
 */
export function normalize(object: JsonObject, owner: Owner, common: CommonMetadata | undefined): JsonObject {
  const { status, ...rest } = object
  const kept = object.kind === 'CustomResourceDefinition' && status !== undefined ? { ...rest, status } : rest
  const labels = { [OWNER_NAME_LABEL]: owner.name, [OWNER_NAMESPACE_LABEL]: owner.namespace }
  return withMetadata(withMetadata(withKindDefaults(kept), { labels }), common ?? {})
}

function withMetadata(object: JsonObject, added: CommonMetadata): JsonObject {
  const metadata = asObject(object.metadata)
  const merged: JsonObject = { ...metadata }
  if (added.labels !== undefined) merged.labels = { ...asObject(metadata.labels), ...added.labels }
  if (added.annotations !== undefined)
    merged.annotations = { ...asObject(metadata.annotations), ...added.annotations }
  return { ...object, metadata: merged }
}

function withKindDefaults(object: JsonObject): JsonObject {
  if (object.kind === 'Secret' && object.apiVersion === 'v1') return withSecretData(object)
  if (object.kind === 'Service' && object.apiVersion === 'v1') return withServicePorts(object)
  return 'spec' in object ? { ...object, spec: withContainerPorts(object.spec ?? null) } : object
}

/** stringData is write-only: the API server would never show it back, and every comparison would find a difference. */
function withSecretData(secret: JsonObject): JsonObject {
  if (secret.stringData === undefined) return secret
  const { stringData, ...rest } = secret
  const encoded = Object.fromEntries(
    Object.entries(asObject(stringData)).map(([key, value]) => [
      key,
      Buffer.from(String(value ?? '')).toString('base64'),
    ]),
  )
  return { ...rest, data: { ...asObject(secret.data), ...encoded } }
}

function withServicePorts(service: JsonObject): JsonObject {
  const spec = asObject(service.spec)
  return Array.isArray(spec.ports)
    ? { ...service, spec: { ...spec, ports: spec.ports.map(withProtocol) } }
    : service
}

/** Server-side apply keys ports by number and protocol: one without a protocol would be another port each time. */
function withContainerPorts(value: Json): Json {
  if (!isObject(value)) return value
  const changed: JsonObject = { ...value }
  for (const field of ['template', 'spec', 'jobTemplate'])
    if (isObject(value[field])) changed[field] = withContainerPorts(value[field])
  for (const field of ['containers', 'initContainers']) {
    const containers = value[field]
    if (Array.isArray(containers)) changed[field] = containers.map(withPorts)
  }
  return changed
}

const withPorts = (container: Json): Json =>
  isObject(container) && Array.isArray(container.ports)
    ? { ...container, ports: container.ports.map(withProtocol) }
    : container

const withProtocol = (port: Json): Json =>
  isObject(port) && !port.protocol ? { ...port, protocol: 'TCP' } : port

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const asObject = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
