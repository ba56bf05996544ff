import type { KubeObject, ManagedFieldsEntry } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { takeOverPatch } from './managed-fields.ts'

const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  field: string,
  subresource?: string,
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsV1: { 'f:data': { [`f:${field}`]: {} } },
  ...(subresource === undefined ? {} : { subresource }),
})

const live = (managedFields: ManagedFieldsEntry[], annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', resourceVersion: '7', managedFields, annotations },
})

const ours = entry('kustomize-controller', 'Apply', 'ours')

test.each<[string, ManagedFieldsEntry]>([
  ['another controller', entry('kube-controller-manager', 'Update', 'x')],
  ['a helm release', entry('helm', 'Apply', 'x')],
  ['kubectl, in the status', entry('kubectl', 'Update', 'x', 'status')],
])('fields of %s are left to it', (_who, foreign) => {
  expect(takeOverPatch(live([ours, foreign]))).toBeUndefined()
})

test.each<[string, ManagedFieldsEntry]>([
  ['kubectl edit', entry('kubectl-edit', 'Update', 'theirs')],
  ['kubectl apply --server-side', entry('kubectl', 'Apply', 'theirs')],
  ['an object from before server-side apply', entry('before-first-apply', 'Update', 'theirs')],
  ['our own name, from before server-side apply', entry('kustomize-controller', 'Update', 'theirs')],
])('fields of %s become ours', (_who, foreign) => {
  expect(takeOverPatch(live([ours, foreign]))).toEqual([
    {
      op: 'replace',
      path: '/metadata/managedFields',
      value: [{ ...ours, fieldsV1: { 'f:data': { 'f:ours': {}, 'f:theirs': {} } } }],
    },
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
  ])
})

test('an object that only kubectl has written becomes ours', () => {
  const [first] = takeOverPatch(live([entry('kubectl-create', 'Update', 'theirs')])) ?? []
  expect(first?.value).toEqual([{ ...entry('kustomize-controller', 'Apply', 'theirs') }])
})

test('the annotation of client-side apply is dropped', () => {
  expect(takeOverPatch(live([ours], { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }))).toEqual([
    { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
  ])
})

test.each(['Apply', 'Update'] as const)(
  'fields of a manager that is to be overridden (%s) become ours',
  (operation) => {
    const foreign = entry('helm-controller', operation, 'theirs')
    const [first] = takeOverPatch(live([ours, foreign]), ['helm']) ?? []
    expect(first?.value).toEqual([{ ...ours, fieldsV1: { 'f:data': { 'f:ours': {}, 'f:theirs': {} } } }])
  },
)
