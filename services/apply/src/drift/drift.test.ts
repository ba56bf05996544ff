import { expect, test } from 'vitest'
import { type KnownObject, Memory } from '../known.ts'
import { countHeal, driftListener, fullAllowance, healDelayMs } from './drift.ts'
import type { Seen } from './drift-watches.ts'

const id = 'apps_a__ConfigMap'
const object: KnownObject = {
  ref: { group: '', kind: 'ConfigMap', namespace: 'apps', name: 'a' },
  version: 'v1',
  hash: 'h',
  fingerprint: 'f1',
  uid: 'u1',
  resourceVersion: '10',
}
const seen: Seen = { id, uid: 'u1', resourceVersion: '11', fingerprint: 'f2', owner: 'flux-system/apps' }

function watch() {
  const memory = new Memory()
  const known = memory.of('flux-system/apps', 'k1')
  memory.remember('flux-system/apps', known, id, { ...object })
  const healed: string[] = []
  const listener = driftListener(memory, {
    heal: (key) => healed.push(key),
    healthChanged: () => undefined,
    onError: () => undefined,
  })
  return { memory, known, healed, listener }
}

test.each<[string, Partial<Seen>, number]>([
  ['an edit', {}, 1],
  ['the echo of our own write', { resourceVersion: '10' }, 0],
  ['an older echo', { resourceVersion: '9' }, 0],
  ['a write of its status', { fingerprint: 'f1' }, 0],
  ['a take-over by another Kustomization', { owner: 'flux-system/other' }, 0],
  ['an object of nobody', { id: 'apps_b__ConfigMap' }, 0],
  ['another object of the same name', { uid: 'u2', fingerprint: 'f1' }, 1],
])('%s', (_what, change, heals) => {
  const { listener, healed, known } = watch()
  listener.onSeen({ ...seen, ...change })
  expect(healed).toHaveLength(heals)
  expect(known.touched.size).toBe(heals)
})

test('a deletion is healed, but not that of a predecessor', () => {
  const { listener, healed } = watch()
  listener.onGone({ ...seen, uid: 'u0' })
  expect(healed).toHaveLength(0)
  listener.onGone(seen)
  expect(healed).toHaveLength(1)
})

test('what is missing from a full list is healed', () => {
  const { listener, healed } = watch()
  const kind = { group: '', version: 'v1', kind: 'ConfigMap' }
  listener.onListed(kind, () => true)
  expect(healed).toHaveLength(0)
  listener.onListed(kind, () => false)
  expect(healed).toHaveLength(1)
})

test.each([
  ['is looked at again when it was changed after the run read it', '10', true],
  ['is quiet when what was seen is no later than what the run wrote', '11', false],
])(
  'an object that a watch sees before the run that looks at it has ended %s',
  (_what, resourceVersion, again) => {
    const { listener, memory, known, healed } = watch()
    const other = { ...seen, id: 'apps_c__ConfigMap' }
    memory.expect('flux-system/apps', known, [other.id])
    listener.onSeen(other)
    expect(healed).toHaveLength(0)
    expect(memory.remember('flux-system/apps', known, other.id, { ...object, resourceVersion })).toBe(again)
    expect(known.touched.has(other.id)).toBe(again)
  },
)

test('what a run looked at and did not apply is not watched after it', () => {
  const { listener, memory, known } = watch()
  const other = { ...seen, id: 'apps_c__ConfigMap' }
  memory.expect('flux-system/apps', known, [other.id])
  listener.onSeen(other)
  memory.expectNothing('flux-system/apps', known)
  expect(known.touched.size).toBe(0)
  expect(memory.holderOf(other.id)).toBeUndefined()
})

test('an object that was written after it was touched is quiet again', () => {
  const { listener, memory, known } = watch()
  listener.onSeen(seen)
  memory.remember('flux-system/apps', known, id, { ...object, resourceVersion: '12' })
  expect(known.touched.size).toBe(0)
})

test('a hundred heals are free, then two for each second', () => {
  let allowance = fullAllowance(0)
  for (let heal = 0; heal < 100; heal += 1) {
    expect(healDelayMs(allowance, 0)).toBe(0)
    allowance = countHeal(allowance, 0)
  }
  expect(healDelayMs(allowance, 0)).toBe(500)
  expect(healDelayMs(allowance, 500)).toBe(0)
})
