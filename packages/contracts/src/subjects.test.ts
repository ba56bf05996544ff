import { expect, test } from 'vitest'
import { keyOfSubject, subjects } from './subjects.ts'

test('a name with dots is one token of the subject and comes back whole', () => {
  const key = { namespace: 'team-a', name: 'web.example.com' }
  expect(subjects.rendered(key)).toBe('setpoint.rendered.team-a.web_example_com')
  expect(keyOfSubject(subjects.rendered(key))).toEqual(key)
  expect(keyOfSubject(subjects.artifact({ kind: 'GitRepository', ...key }))).toEqual(key)
})

test('a subject without a namespace and a name is refused', () => {
  expect(() => keyOfSubject('setpoint.rendered')).toThrow('does not end in')
})
