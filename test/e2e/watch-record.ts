import { type KubeClient, startInformer } from '@setpoint/kube'
import { CONFIG_MAP } from './manifests.ts'

/** What a watcher saw of the ConfigMaps that some Kustomization owns. */
export interface WatchRecord extends Disposable {
  /** Names of those that were deleted, in order. */
  deleted: string[]
  /** When each was deleted last: ms since the epoch. */
  deletedAt: Map<string, number>
  /** Values that are numbers and became smaller: something older was written over something newer. */
  wentBack: WentBack[]
  /** Every uid that each name has had. */
  uids: Map<string, Set<string>>
  /** All that are there now. */
  present(): Record<string, Record<string, string>>
}

export interface WentBack {
  name: string
  from: number
  to: number
  /** ms since the epoch. */
  at: number
}

/** Watches from now on, over every interruption. */
export async function recordManaged(kube: KubeClient): Promise<WatchRecord> {
  const stop = new AbortController()
  const deleted: string[] = []
  const deletedAt = new Map<string, number>()
  const wentBack: WentBack[] = []
  const highest = new Map<string, number>()
  const uids = new Map<string, Set<string>>()
  const informer = startInformer(kube, {
    gvk: CONFIG_MAP,
    labelSelector: 'kustomize.toolkit.fluxcd.io/name',
    signal: stop.signal,
    onUpsert: ({ metadata: { name, uid = '' }, data }) => {
      const value = Number((data as Record<string, string> | undefined)?.value ?? 0)
      const from = highest.get(name) ?? 0
      if (value < from) wentBack.push({ name, from, to: value, at: Date.now() })
      highest.set(name, value)
      uids.set(name, (uids.get(name) ?? new Set()).add(uid))
    },
    onDelete: ({ metadata: { name } }) => {
      deleted.push(name)
      deletedAt.set(name, Date.now())
    },
  })
  await informer.synced
  const present = () => {
    const rows = informer
      .list()
      .map(({ metadata, data }) => [metadata.name, data as Record<string, string>] as const)
    return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return { deleted, deletedAt, wentBack, uids, present, [Symbol.dispose]: () => stop.abort() }
}
