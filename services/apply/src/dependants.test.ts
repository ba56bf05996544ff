import type { Kustomization } from '@setpoint/contracts'
import { expect, test } from 'vitest'
import { Dependants } from './dependants.ts'

const waitingFor = (...names: string[]) =>
  ({
    metadata: { namespace: 'apps', name: 'x' },
    spec: { dependsOn: names.map((name) => ({ name })) },
  }) as unknown as Kustomization

test('dependants are found by what they depend on now', () => {
  const dependants = new Dependants()
  dependants.note('apps/web', waitingFor('base', 'database'))
  dependants.note('apps/api', waitingFor('base'))
  expect([...dependants.of('apps/base')]).toEqual(['apps/web', 'apps/api'])
  dependants.note('apps/web', waitingFor('database'))
  expect([...dependants.of('apps/base')]).toEqual(['apps/api'])
  dependants.forget('apps/api')
  expect([...dependants.of('apps/base')]).toEqual([])
  expect([...dependants.of('apps/database')]).toEqual(['apps/web'])
})
