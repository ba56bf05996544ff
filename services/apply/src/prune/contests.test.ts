import type { Kustomization } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { Contests, contestLine } from './contests.ts'

const contest = { object: 'ConfigMap/apps/a', holder: 'apps/old', taker: 'apps/new' }
const saying = (message: string) =>
  ({ status: { conditions: [{ type: 'Conflict', status: 'True', message }] } }) as unknown as Kustomization

test('what the taker says reaches the holder, and is taken back', () => {
  const contests = new Contests()
  expect(contests.note('apps/new', saying(contestLine(contest)))).toEqual(['apps/old'])
  expect(contests.against('apps/old')).toEqual([contest])
  expect([...contests.takersOf('apps/old')]).toEqual(['apps/new'])
  expect(contests.note('apps/new', saying(contestLine(contest)))).toEqual([])
  expect(contests.note('apps/new', undefined)).toEqual(['apps/old'])
  expect(contests.against('apps/old')).toEqual([])
})

test('what the holder repeats of it is no contest of its own', () => {
  const contests = new Contests()
  expect(contests.note('apps/old', saying(contestLine(contest)))).toEqual([])
  expect(contests.against('apps/old')).toEqual([])
})
