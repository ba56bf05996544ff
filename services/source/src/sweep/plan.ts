import type { StoredObject } from '@setpoint/bus'
import type { Retention } from '../archive/archive-store.ts'
import { shortPack } from '../storage/records.ts'

/** What is known while it is decided what to keep. */
export interface Facts {
  objects: readonly StoredObject[]
  /** The newest revision of each source, by subject. */
  newest: ReadonlyMap<string, string>
  /** Revisions that somebody holds to, by subject. */
  used: ReadonlyMap<string, ReadonlySet<string>>
  /** Names that the newest messages give. */
  named: ReadonlySet<string>
  retention: Retention
  /** Milliseconds since the epoch. */
  now: number
  /** How long what nothing names is kept: what is stored now is named only once everything is. */
  graceMs: number
  /** What nothing named the last time. */
  before: ReadonlySet<string>
  /** Whether the objects in a directory are ours to delete, as earlier versions named them. */
  isOwn(directory: string): boolean
}

export interface Plan {
  /** Objects to delete, and until when each was stored. */
  remove: { name: string; storedAt: number }[]
  /** Names that nothing needs any more, for long enough. */
  unneeded: ReadonlySet<string>
}

/** What can go: old revisions that nobody holds to, and what no stored revision is made of. */
export function planSweep(facts: Facts): Plan {
  const records = facts.objects.filter(({ name }) => name.startsWith('revision/'))
  const kept = new Set([...Map.groupBy(records, directoryOf).values()].flatMap((own) => keptOf(own, facts)))
  const old = records.filter((record) => !kept.has(record))
  const needs = needsOf([...kept])
  const others = facts.objects.filter((object) => isUnneeded(object, facts, needs))
  return {
    remove: [...old, ...others.filter(({ name }) => facts.before.has(name))],
    unneeded: new Set(others.map(({ name }) => name)),
  }
}

function keptOf(own: StoredObject[], { newest, used, retention, now }: Facts): StoredObject[] {
  const newestFirst = own.toSorted((a, b) => b.storedAt - a.storedAt)
  return newestFirst.filter(({ storedAt, labels: { subject = '', revision = '' } }, index) => {
    const isRecent = index < retention.records || now - storedAt < retention.ttlMs
    return isRecent || newest.get(subject) === revision || used.get(subject)?.has(revision) === true
  })
}

interface Needs {
  objects: ReadonlySet<string>
  packs: ReadonlySet<string>
}

function needsOf(records: StoredObject[]): Needs {
  return {
    objects: new Set(records.flatMap(({ labels }) => (labels.needs ?? '').split(' '))),
    packs: new Set(records.flatMap(({ labels }) => (labels.packs ?? '').split(' '))),
  }
}

const FAMILIES = new Set(['pack', 'tree', 'archive'])

function isUnneeded(object: StoredObject, { now, graceMs, named, isOwn }: Facts, needs: Needs): boolean {
  const { name, storedAt } = object
  if (now - storedAt < graceMs || named.has(name) || needs.objects.has(name)) return false
  const family = name.slice(0, name.indexOf('/'))
  if (family === 'revision') return false
  if (family === 'pack') return !needs.packs.has(shortPack(digestOfPack(name)))
  return FAMILIES.has(family) || isOwn(family)
}

/** The digest of the pack that is stored under a name. */
export function digestOfPack(name: string): string {
  return `sha256:${name.slice('pack/'.length)}`
}

const directoryOf = ({ name }: StoredObject): string => name.slice(0, name.lastIndexOf('/'))
