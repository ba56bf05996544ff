import { expect, test } from 'vitest'
import { decodeEnvelope, type Envelope, encodeEnvelope, type MessageType } from './envelope.ts'
import { FieldError } from './fields.ts'
import {
  type ArtifactMessage,
  artifactMessage,
  type EventMessage,
  eventMessage,
  type OutcomeMessage,
  outcomeMessage,
  type RenderedMessage,
  reconcileHint,
  renderedMessage,
} from './messages.ts'

const artifact: ArtifactMessage = {
  kind: 'GitRepository',
  namespace: 'flux-system',
  name: 'fleet',
  uid: '4f1c',
  revision: 'main@sha1:0123456789012345678901234567890123456789',
  url: 'http://source/gitrepository/flux-system/fleet/0123.tar.gz',
  tree: {
    digest: 'sha256:aa',
    files: 3,
    snapshot: { digest: 'sha256:bb', size: 1000, object: 'fleet.bb' },
    delta: { digest: 'sha256:cc', size: 20, inline: 'AAAA' },
  },
}
const rendered: RenderedMessage = {
  namespace: 'flux-system',
  name: 'apps',
  uid: '77',
  generation: 3,
  requestedAt: '',
  source: { kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' },
  revision: artifact.revision,
  set: { digest: 'sha256:dd', objects: 4, sealed: { digest: 'sha256:ee', size: 900, object: 'apps.dd' } },
}
const problem: RenderedMessage = {
  ...rendered,
  problem: { reason: 'BuildFailed', message: 'apps/kustomization.yaml: no such file', stalled: false },
}
delete problem.set
const outcome: OutcomeMessage = {
  namespace: 'flux-system',
  name: 'apps',
  uid: '77',
  generation: 3,
  revision: artifact.revision,
  ready: 'True',
  healthy: 'True',
  reason: 'ReconciliationSucceeded',
  message: 'Applied revision: main',
  inventoryDigest: 'sha256:ff',
  timingsMs: { apply: 12.5 },
}
const event: EventMessage = {
  involvedObject: {
    apiVersion: 'v1',
    kind: 'Kustomization',
    namespace: 'a',
    name: 'b',
    uid: 'c',
    resourceVersion: '9',
  },
  severity: 'info',
  timestamp: '2026-01-02T03:04:05Z',
  message: 'configured',
  reason: 'ReconciliationSucceeded',
  metadata: { 'kustomize.toolkit.fluxcd.io/revision': 'main' },
  reportingController: 'kustomize-controller',
  reportingInstance: 'host-1',
}

function wrap<T>(data: T): Envelope<T> {
  return { schemaVersion: '1.0', traceId: '0123', producer: 'test', time: '2026-01-02T03:04:05Z', data }
}

test.each<[string, MessageType<unknown>, unknown]>([
  ['artifact', artifactMessage, artifact],
  ['rendered set', renderedMessage, rendered],
  ['render problem', renderedMessage, problem],
  ['outcome', outcomeMessage, outcome],
  ['event', eventMessage, event],
  ['hint', reconcileHint, { requestedBy: 'cli' }],
])('a %s message is read as it was written', (_name, type, data) => {
  expect(decodeEnvelope(type, encodeEnvelope(wrap(data)))).toEqual(wrap(data))
})

test('a newer minor version with fields that are not known yet is read', () => {
  const newer = { ...wrap({ ...rendered, futureField: [1] }), schemaVersion: '1.7', alsoNew: true }
  expect(decodeEnvelope(renderedMessage, encodeEnvelope(newer)).data).toEqual(rendered)
})

test('another major version is refused by its number', () => {
  const other = { ...wrap(rendered), schemaVersion: '2.0' }
  expect(() => decodeEnvelope(renderedMessage, encodeEnvelope(other))).toThrow('schemaVersion 2.0')
})

test('a wrong field is named by its path', () => {
  const broken = { ...artifact, tree: { ...artifact.tree, snapshot: { digest: 5 } } }
  expect(() =>
    decodeEnvelope(artifactMessage, encodeEnvelope(wrap(broken as unknown as ArtifactMessage))),
  ).toThrow('data.tree.snapshot.digest must be a string')
})

test('bytes that are no JSON are refused', () => {
  expect(() => decodeEnvelope(artifactMessage, Buffer.from('{'))).toThrow(FieldError)
  expect(() => decodeEnvelope(artifactMessage, Buffer.from([0xff, 0xfe]))).toThrow(FieldError)
  expect(() => decodeEnvelope(artifactMessage, Buffer.from('[]'))).toThrow('message must be an object')
})
