import { combine } from 'shamir-secret-sharing'
import { SopsError } from './error.ts'
import { describeKey, type KeyService, type MasterKey } from './master-key.ts'
import type { Metadata } from './metadata.ts'

const DATA_KEY_BYTES = 32

/** The key of all values of a file. @throws SopsError NoKey naming the keys of which one is needed. */
export async function recoverDataKey(
  metadata: Metadata,
  services: readonly KeyService[],
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const reasons: string[] = []
  for (const group of metadata.groups) {
    if (parts.length >= metadata.threshold) break
    const part = await openGroup(group, services, reasons)
    if (part !== undefined) parts.push(part)
  }
  const key = await join(metadata, parts)
  if (key === undefined) throw new SopsError('NoKey', explain(metadata, parts.length, services, reasons))
  if (key.length !== DATA_KEY_BYTES) throw new SopsError('BadFile', 'has a data key of an impossible length')
  return key
}

async function join({ groups, threshold }: Metadata, parts: Uint8Array[]): Promise<Uint8Array | undefined> {
  if (groups.length === 1) return parts[0]
  if (parts.length < threshold) return undefined
  try {
    return parts.length === 1 ? parts[0] : await combine(parts)
  } catch {
    throw new SopsError('BadFile', 'has parts of a data key that do not fit together')
  }
}

/** Local keys before services, as SOPS does: what needs no network comes first. */
async function openGroup(
  group: readonly MasterKey[],
  services: readonly KeyService[],
  reasons: string[],
): Promise<Uint8Array | undefined> {
  const order = (key: MasterKey) => ['age', 'pgp'].indexOf(key.kind) >>> 0
  for (const key of [...group].sort((a, b) => order(a) - order(b)))
    for (const service of services.filter(({ kinds }) => kinds.includes(key.kind))) {
      const part = await tryService(service, key, reasons)
      if (part !== undefined) return part
    }
  return undefined
}

async function tryService(
  service: KeyService,
  key: MasterKey,
  reasons: string[],
): Promise<Uint8Array | undefined> {
  try {
    return await service.decrypt(key)
  } catch (error) {
    if (!(error instanceof SopsError)) throw error
    reasons.push(`${describeKey(key)} ${error.message}`)
    return undefined
  }
}

function explain(
  { groups, threshold }: Metadata,
  opened: number,
  services: readonly KeyService[],
  reasons: readonly string[],
): string {
  const known = new Set(services.flatMap(({ kinds }) => kinds))
  const name = (key: MasterKey) =>
    known.has(key.kind) ? describeKey(key) : `${describeKey(key)} (this kind of key is not supported)`
  const wanted = groups.map((group) => group.map(name).join(' or '))
  const what =
    groups.length === 1
      ? `no key opens it; it is encrypted for ${wanted[0]}`
      : `keys open ${opened} of its ${groups.length} key groups, ${threshold} are needed; the groups are ${wanted.map((one) => `(${one})`).join(', ')}`
  return [what, ...reasons].join('; ')
}
