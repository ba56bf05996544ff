import { KubeApiError } from '@setpoint/kube'
import { inventoryId, type KubeObject, refOf } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { markConfidential } from '../confidential.ts'
import { rejectionsError } from './rejection.ts'

const refusal =
  'Service "web" is invalid: [spec.type: Unsupported value: "hunter\\"2", spec.ports[0].port: Invalid value: 99999: must be below 65536]'

test('a refusal of the API server is passed on', () => {
  expect(messageFor(service())).toBe(`Service/team/web dry-run failed (Invalid): ${refusal}`)
})

test('values of an object that was encrypted are not quoted, also when a copy was sent', () => {
  const object = service()
  markConfidential(object)
  expect(messageFor({ ...object, spec: {} })).toBe(
    'Service/team/web dry-run failed (Invalid): Service "web" is invalid: [spec.type: Unsupported value: ***, spec.ports[0].port: Invalid value: ***: must be below 65536]',
  )
})

function service(): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'team', name: 'web' } }
}

function messageFor(object: KubeObject): string {
  const ref = refOf(object)
  const target = { object, ref, id: inventoryId(ref), version: 'v1', hash: '' }
  const error = new KubeApiError(refusal, { code: 422, reason: 'Invalid' })
  return rejectionsError([{ target, step: 'dry-run', error }]).message
}
