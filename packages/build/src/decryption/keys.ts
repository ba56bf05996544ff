import { createHash } from 'node:crypto'
import type { Kustomization } from '@setpoint/contracts'
import type { KubeObject } from '@setpoint/manifest'
import { ageKeys, type KeyService, pgpKeys, SopsError } from '@setpoint/sops'
import type { ReadData } from '../variables.ts'
import type { Decryption } from './decryption.ts'

/** The Secret with the keys is missing, or holds something that is no key. Never shows what it holds. */
export class DecryptionError extends Error {
  override name = 'DecryptionError'
}

export interface RemoteKeys {
  /** Takes what it knows of one key of the Secret. @throws SopsError when it holds something else. */
  read(name: string, value: Uint8Array): void
  /** After all keys were read. */
  services(): KeyService[]
}

export interface KeyOptions {
  checkMac: boolean
  /** A Secret with age identities for Kustomizations that name no Secret of their own. */
  ageSecret?: { namespace: string; name: string } | undefined
  /** Services that ask for data keys elsewhere, with credentials of the Secret or an identity of the Kustomization. */
  remote?: RemoteKeys
}

/**
 * The keys of spec.decryption; undefined when the Kustomization has none.
 * @throws DecryptionError naming the Secret and its key; what `read` throws as it is.
 */
export async function readKeys(
  read: ReadData,
  kustomization: Kustomization,
  options: KeyOptions,
): Promise<Decryption | undefined> {
  const { decryption } = kustomization.spec
  if (decryption === undefined) return undefined
  const { secretRef } = decryption
  const namespace = kustomization.metadata.namespace ?? ''
  const key = secretRef === undefined ? options.ageSecret : { namespace, name: secretRef.name }
  const data = key === undefined ? new Map() : await readSecret(read, key)
  const place = `Secret ${key?.namespace}/${key?.name}`
  const services = await keysOf(data, place, { ageOnly: secretRef === undefined, remote: options.remote })
  return {
    services: [...services, ...(options.remote?.services() ?? [])],
    checkMac: options.checkMac,
    digest: digestOf(data),
  }
}

async function readSecret(
  read: ReadData,
  key: { namespace: string; name: string },
): Promise<Map<string, Uint8Array>> {
  const secret = await read('Secret', key)
  if (secret === undefined)
    throw new DecryptionError(`Secret ${key.namespace}/${key.name} of spec.decryption does not exist`)
  return bytesOf(secret)
}

function bytesOf({ data }: KubeObject): Map<string, Uint8Array> {
  const entries = Object.entries((data ?? {}) as Record<string, string>)
  return new Map(entries.map(([name, value]) => [name, Buffer.from(value, 'base64')]))
}

/** Of the fallback Secret age identities alone are read: it must not lend other credentials to everybody. */
async function keysOf(
  data: ReadonlyMap<string, Uint8Array>,
  place: string,
  { ageOnly, remote }: { ageOnly: boolean; remote: RemoteKeys | undefined },
): Promise<KeyService[]> {
  // Without a key they still say which kinds are known.
  const services = [await ageKeys([]), await pgpKeys([])]
  for (const [name, value] of data) {
    if (name.endsWith('.agekey'))
      services.push(await read(place, name, () => ageKeys([Buffer.from(value).toString()])))
    if (ageOnly) continue
    if (name.endsWith('.asc')) services.push(await read(place, name, () => pgpKeys([value])))
    await read(place, name, async () => remote?.read(name, value))
  }
  return services
}

async function read<T>(place: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!(error instanceof SopsError)) throw error
    throw new DecryptionError(`key ${name} of ${place}, for spec.decryption: ${error.message}`)
  }
}

function digestOf(data: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256')
  for (const [name, value] of [...data].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(JSON.stringify([name, value.length])).update(value)
  return hash.digest('hex')
}
