import type { KubeObject } from '@setpoint/manifest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { conditionOf, configMap, type Setup, startSetup } from './harness.ts'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup?.[Symbol.asyncDispose]())

interface Workload {
  nodeSelector?: Record<string, string>
  progressDeadlineSeconds?: number
}

function deployment(
  name: string,
  { nodeSelector = {}, progressDeadlineSeconds = 600 }: Workload = {},
): KubeObject {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: setup.namespace, name },
    spec: {
      replicas: 2,
      progressDeadlineSeconds,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { nodeSelector, containers: [{ name: 'main', image: 'example.com/app:1' }] },
      },
    },
  }
}

const nowhere = { nodeSelector: { 'no-such': 'node' } }

test('with wait, a Kustomization is ready when its rollout is', async () => {
  await setup.create('rollout', { wait: true })
  await setup.render('rollout', [deployment('rollout')], { revision: 'r1' })
  const kustomization = await setup.untilReady('rollout', 'True')
  expect(conditionOf(kustomization, 'Healthy')).toMatchObject({ status: 'True', reason: 'Succeeded' })
  expect((await setup.live(deployment('rollout')))?.status).toMatchObject({ availableReplicas: 2 })
})

test('while a rollout is awaited the status says so; a fix supersedes the wait at once', async () => {
  await setup.create('superseded', { wait: true, timeout: '5m' })
  await setup.render('superseded', [deployment('superseded', nowhere)], { revision: 'r1' })
  const waiting = await setup.untilReady('superseded', 'Unknown', 'Progressing')
  expect(conditionOf(waiting, 'Reconciling')?.reason).toBe('Progressing')
  const stuck = await setup.untilHealthy('superseded', 'Unknown')
  expect(conditionOf(stuck, 'Ready')?.message).toBe(
    'Running health checks for revision r1 with a timeout of 5m0s',
  )
  expect(stuck.status?.lastAppliedRevision).toBeUndefined()
  const started = performance.now()
  await setup.render('superseded', [deployment('superseded')], { revision: 'r2' })
  await setup.untilApplied('superseded', 'r2')
  setup.report(`superseded after ${(performance.now() - started).toFixed(0)} ms`)
})

test('objects that do not get well in time are named, and getting well later still counts', async () => {
  const checked = { apiVersion: 'v1', kind: 'ConfigMap', name: 'comes-later', namespace: setup.namespace }
  await setup.create('late', { timeout: '1s', healthChecks: [checked] })
  await setup.render('late', [configMap(setup.namespace, 'late')], { revision: 'r1' })
  const failed = await setup.untilReady('late', 'False', 'HealthCheckFailed')
  expect(conditionOf(failed, 'Ready')?.message).toMatch(
    /^health check failed after \S+: timeout waiting for: \[ConfigMap\/\S+\/comes-later status: 'NotFound'/,
  )
  expect(conditionOf(failed, 'Healthy')).toMatchObject({ status: 'False', reason: 'HealthCheckFailed' })
  await setup.kube.create(configMap(setup.namespace, 'comes-later'))
  const { status } = await setup.untilApplied('late', 'r1')
  expect(status?.history?.[0]?.lastReconciledDuration).toMatch(/^\d+(\.\d+)?s$/)
})

test('a rollout that has failed ends the wait early', async () => {
  await setup.create('stuck', { wait: true, timeout: '5m' })
  await setup.render('stuck', [deployment('stuck', { ...nowhere, progressDeadlineSeconds: 1 })])
  const failed = await setup.untilReady('stuck', 'False', 'HealthCheckFailed')
  expect(conditionOf(failed, 'Ready')?.message).toContain(
    `failed early due to stalled resources: [Deployment/${setup.namespace}/stuck status: 'Failed'`,
  )
})

test('when nothing is checked any more, the condition Healthy goes', async () => {
  await setup.sync('unchecked', [configMap(setup.namespace, 'unchecked')], { wait: true })
  await setup.patchSpec('unchecked', { wait: false })
  await setup.render('unchecked', [configMap(setup.namespace, 'unchecked')], { revision: 'r2' })
  const kustomization = await setup.untilApplied('unchecked', 'r2')
  expect(conditionOf(kustomization, 'Healthy')).toBeUndefined()
})
