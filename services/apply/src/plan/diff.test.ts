import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { hasDrifted } from './diff.ts'

const live: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', resourceVersion: '1', labels: { app: 'web' } },
  data: { key: 'value' },
  status: { seen: 1 },
}

test.each<[string, KubeObject, boolean]>([
  ['nothing', live, false],
  ['the resource version', { ...live, metadata: { ...live.metadata, resourceVersion: '2' } }, false],
  ['the status', { ...live, status: { seen: 2 } }, false],
  ['the order of fields', { data: { key: 'value' }, ...live }, false],
  ['a label', { ...live, metadata: { ...live.metadata, labels: { app: 'api' } } }, true],
  ['an annotation', { ...live, metadata: { ...live.metadata, annotations: { a: 'b' } } }, true],
  ['the content', { ...live, data: { key: 'other' } }, true],
  ['a field that is gone', { ...live, data: {} }, true],
])('a dry run that changes %s', (_what, dryRun, drifted) => {
  expect(hasDrifted(live, dryRun)).toBe(drifted)
})
