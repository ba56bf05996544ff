import type { KubeObject } from '@setpoint/manifest'
import { expect, test } from 'vitest'
import { stagesOf, wavesOf } from './order.ts'

const object = (apiVersion: string, kind: string, name: string, namespace?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
})

test('objects go into stages, definitions first, classes next', () => {
  const stages = stagesOf([
    object('apps/v1', 'Deployment', 'web', 'prod'),
    object('storage.k8s.io/v1', 'StorageClass', 'fast'),
    object('v1', 'Namespace', 'prod'),
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'widgets.example.com'),
  ])
  expect(stages.map((stage) => [stage.name, stage.awaited, stage.objects.map(({ kind }) => kind)])).toEqual([
    ['definitions', true, ['CustomResourceDefinition', 'Namespace']],
    ['classes', true, ['StorageClass']],
    ['resources', false, ['Deployment']],
  ])
})

test('kinds that are named have a stage of their own before the rest', () => {
  const role = object('rbac.authorization.k8s.io/v1', 'Role', 'reader', 'prod')
  const binding = object('rbac.authorization.k8s.io/v1', 'RoleBinding', 'reader', 'prod')
  const stages = stagesOf([binding, role], new Set(['rbac.authorization.k8s.io/Role']))
  expect(stages.map((stage) => [stage.name, stage.objects])).toEqual([
    ['custom', [role]],
    ['resources', [binding]],
  ])
})

test('within a stage kinds stand in the order of Flux, what it does not name before webhooks', () => {
  const kinds = [
    'ValidatingWebhookConfiguration',
    'Widget',
    'Deployment',
    'Service',
    'ConfigMap',
    'ServiceAccount',
    'Role',
  ]
  const [stage] = stagesOf(kinds.map((kind) => object('v1', kind, 'a')))
  expect(stage?.objects.map(({ kind }) => kind)).toEqual([
    'ServiceAccount',
    'Role',
    'ConfigMap',
    'Service',
    'Deployment',
    'Widget',
    'ValidatingWebhookConfiguration',
  ])
})

test('equal kinds stand by group, namespace and name', () => {
  const [stage] = stagesOf([
    object('b/v1', 'Widget', 'a', 'x'),
    object('a/v1', 'Widget', 'b', 'y'),
    object('a/v1', 'Widget', 'a', 'y'),
    object('a/v1', 'Widget', 'z', 'x'),
  ])
  expect(
    stage?.objects.map(({ apiVersion, metadata }) => `${apiVersion} ${metadata.namespace} ${metadata.name}`),
  ).toEqual(['a/v1 x z', 'a/v1 y a', 'a/v1 y b', 'b/v1 x a'])
})

test('a wave ends where the place in the order changes', () => {
  const kinds = ['ConfigMap', 'ConfigMap', 'Service', 'Gadget', 'Widget']
  expect(wavesOf(kinds, (kind) => kind)).toEqual([
    ['ConfigMap', 'ConfigMap'],
    ['Service'],
    ['Gadget', 'Widget'],
  ])
})
