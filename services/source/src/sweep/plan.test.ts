import type { StoredObject } from '@setpoint/bus'
import { expect, test } from 'vitest'
import { type Facts, planSweep } from './plan.ts'

const MINUTE = 60_000
const now = Date.UTC(2026, 0, 2)
const subject = 'setpoint.artifact.GitRepository.apps.fleet'
const pack = (letter: string) => letter.repeat(64)

function object(name: string, ageMinutes: number, labels: Record<string, string> = {}): StoredObject {
  return { name, storedAt: now - ageMinutes * MINUTE, labels }
}

function record(id: string, ageMinutes: number, packs: string): StoredObject {
  const short = [...packs].map((letter) => pack(letter).slice(0, 24)).join(' ')
  return object(`revision/uid/${id}`, ageMinutes, {
    subject,
    revision: id,
    needs: `tree/${id}`,
    packs: short,
  })
}

function plan(objects: StoredObject[], facts: Partial<Facts> = {}) {
  return planSweep({
    objects,
    newest: new Map(),
    used: new Map(),
    named: new Set(),
    retention: { records: 1, ttlMs: 10 * MINUTE },
    now,
    graceMs: 60 * MINUTE,
    before: new Set(),
    isOwn: () => false,
    ...facts,
  })
}

const names = ({ remove }: ReturnType<typeof plan>) => remove.map(({ name }) => name)

test('revisions beyond the count go when they are old enough', () => {
  const records = [record('a', 30, ''), record('b', 5, ''), record('c', 1, '')]
  expect(names(plan(records))).toEqual(['revision/uid/a'])
  expect(names(plan(records, { retention: { records: 3, ttlMs: 0 } }))).toEqual([])
})

test('a revision that a Kustomization holds to stays however old it is, and so does what the source is at', () => {
  const records = [record('used', 900, ''), record('newest', 800, ''), record('c', 1, '')]
  expect(names(plan(records))).toEqual(['revision/uid/used', 'revision/uid/newest'])
  const used = new Map([[subject, new Set(['used'])]])
  expect(names(plan(records, { used, newest: new Map([[subject, 'newest']]) }))).toEqual([])
})

test('a pack goes once no kept revision names it, it is old, and that was so the last time as well', () => {
  const objects = [record('a', 900, 'ab'), record('b', 1, 'bc'), ...packs(900), object('tree/a', 900)]
  const first = plan(objects)
  expect(names(first)).toEqual(['revision/uid/a'])
  expect([...first.unneeded]).toEqual([`pack/${pack('a')}`, 'tree/a'])
  expect(names(plan(objects, { before: first.unneeded }))).toEqual([
    'revision/uid/a',
    `pack/${pack('a')}`,
    'tree/a',
  ])
  expect(names(plan([record('b', 1, 'bc'), ...packs(30)], { before: first.unneeded }))).toEqual([])
})

test('what the newest message names stays before it has a record', () => {
  expect([...plan([object('tree/x', 900)]).unneeded]).toEqual(['tree/x'])
  expect([...plan([object('tree/x', 900)], { named: new Set(['tree/x']) }).unneeded]).toEqual([])
})

test('what an earlier version stored goes only when its source is known here', () => {
  const objects = [object('mine/snapshot-1', 900), object('other/snapshot-1', 900)]
  expect([...plan(objects, { isOwn: (uid) => uid === 'mine' }).unneeded]).toEqual(['mine/snapshot-1'])
})

function packs(ageMinutes: number): StoredObject[] {
  return ['a', 'b', 'c'].map((letter) => object(`pack/${pack(letter)}`, ageMinutes))
}
