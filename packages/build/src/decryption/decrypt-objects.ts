import { DECRYPT_SWITCH } from '@setpoint/contracts'
import type { FileSource } from '@setpoint/kustomize'
import { describeRef, type JsonObject, type KubeObject, refOf } from '@setpoint/manifest'
import { decryptObject, detectFormat, formatForPath, type Metadata, objectMetadata } from '@setpoint/sops'
import type { Built } from '../post-build.ts'
import type { Decryptor } from './decryptor.ts'

/** Decrypts built objects: whole ones, and values of Secrets. Its problems are with the decryptor. */
export async function decryptObjects(
  resources: readonly Built[],
  files: FileSource,
  decryptor: Decryptor,
): Promise<Built[]> {
  const decryptAll = () => resources.map((resource) => decryptResource(resource, files, decryptor))
  const first = decryptAll()
  return (await decryptor.recover()) ? decryptAll() : first
}

function decryptResource(resource: Built, files: FileSource, decryptor: Decryptor): Built {
  const { object } = resource
  if (isSwitchedOff(object)) return resource
  const place = `${nameOf(object)} (${resource.source.file})`
  const metadata = decryptor.check(place, () => objectMetadata(object))
  if (metadata !== undefined)
    return { ...resource, decrypted: true, object: decryptWhole(resource, place, metadata, files, decryptor) }
  return object.kind === 'Secret'
    ? { ...resource, object: decryptValues(object, place, decryptor) }
    : resource
}

function decryptWhole(
  { object, source }: Built,
  place: string,
  metadata: Metadata,
  files: FileSource,
  decryptor: Decryptor,
): JsonObject {
  const dataKey = decryptor.dataKey(metadata, place)
  if (dataKey === undefined) return object
  decryptor.verify(files.read(source.file), place, `${source.file} ${metadata.mac}`, metadata.mac)
  return decryptor.check(place, () => decryptObject(object, metadata, dataKey)) ?? object
}

/** A value of a Secret may be a whole encrypted file. The form that it gets goes by the end of its key. */
function decryptValues(secret: JsonObject, place: string, decryptor: Decryptor): JsonObject {
  const data = secret.data as Record<string, unknown> | undefined | null
  if (typeof data !== 'object' || data === null) return secret
  const entries = Object.entries(data).map(([key, value]) => [
    key,
    typeof value === 'string' ? decryptValue(key, value, place, decryptor) : value,
  ])
  return { ...secret, data: Object.fromEntries(entries) }
}

function decryptValue(key: string, value: string, place: string, decryptor: Decryptor): string {
  const content = Buffer.from(value, 'base64')
  const format = detectFormat(content.toString('latin1'))
  if (format === undefined) return value
  const text = decryptor.text(content, `${place}, data.${key}`, format, formatForPath(key))
  return text === undefined ? value : Buffer.from(text).toString('base64')
}

/** The first Secret that is still encrypted; nobody could use it. */
export function findEncryptedSecret(resources: readonly Built[]): Built | undefined {
  return resources.find(
    ({ object }) =>
      object.kind === 'Secret' &&
      object.apiVersion === 'v1' &&
      object.sops !== undefined &&
      !isSwitchedOff(object),
  )
}

/** `disabled` in any case, as an annotation alone. */
function isSwitchedOff(object: JsonObject): boolean {
  const { annotations } = (object.metadata ?? {}) as { annotations?: JsonObject | null }
  return String(annotations?.[DECRYPT_SWITCH] ?? '').toLowerCase() === 'disabled'
}

export const nameOf = (object: JsonObject): string => describeRef(refOf(object as unknown as KubeObject))
