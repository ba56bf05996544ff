import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { GitRepo } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NAMESPACE, START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import { configMapYaml } from './manifests.ts'

/** `setpoint rollback`, as somebody on call uses it. */

const program = join(import.meta.dirname, '../../bin/setpoint')
let set: WholeSet
let fleet: GitRepo
let good: string

beforeAll(async () => {
  set = await startWholeSet()
  fleet = await set.createFleet('fleet', { 'app/app.yaml': configMapYaml('app', { v: 'good' }) })
  await set.applyKustomization('app')
  await set.waitReady('Kustomization', 'app')
  good = await fleet.head()
  await commit('bad')
}, START_TIMEOUT_MS)
afterAll(() => set?.[Symbol.asyncDispose]())

test('an earlier commit is back in the cluster although the source service and Git are away', async () => {
  await set.services.source.kill()
  const { code, output } = await setpoint('rollback', 'app', good.slice(0, 8))
  expect(output).toContain('to make it permanent: git revert')
  expect(code).toBe(0)
  expect(await set.configMap('app')).toEqual({ v: 'good' })
  expect((await setpoint('get', 'ks')).output).toContain('held')
  const why = await setpoint('why', 'configmap/app')
  expect(why.output).toMatch(/apply +WAITS .* held at .*\n +→ setpoint resume kustomization app/)
  expect(why.code).toBe(1)
  await set.services.source.start()
})

test('it outlives every service', async () => {
  for (const service of Object.values(set.services)) await service.kill()
  for (const service of Object.values(set.services)) await service.start()
  await set.request('Kustomization', 'app')
  await set.waitReady('Kustomization', 'app')
  expect(await set.configMap('app')).toEqual({ v: 'good' })
})

test('resume goes on with the newest commit', async () => {
  const { code } = await setpoint('resume', 'ks', 'app')
  expect(code).toBe(0)
  expect(await set.configMap('app')).toEqual({ v: 'bad' })
  const why = await setpoint('why', 'ks/app', '--commit', await fleet.head())
  expect(why.output).toMatch(/source +done .*\n +render +done .*\n +apply +done .*\n +health +done /)
  expect(why.code).toBe(0)
})

test('--push reverts the commits in Git, and that commit ends the hold', async () => {
  const { code, output } = await setpoint('rollback', 'app', good, '--push')
  expect(output).toContain('reverted')
  expect(code).toBe(0)
  await set.hint()
  const reverted = await set.waitReady('Kustomization', 'app', await fleet.head())
  expect(reverted.metadata.annotations ?? {}).not.toHaveProperty(['setpoint.dev/rollback'])
  expect(await set.configMap('app')).toEqual({ v: 'good' })
})

test('a revision that is not in the history is refused with those that are', async () => {
  const { code, output } = await setpoint('rollback', 'app', 'ffffffff')
  expect(output).toContain(`it has main@sha1:${(await fleet.head()).slice(0, 8)}`)
  expect(code).toBe(1)
})

async function commit(v: string): Promise<void> {
  const sha = await fleet.commit({ 'app/app.yaml': configMapYaml('app', { v }) })
  await set.hint()
  await set.waitReady('Kustomization', 'app', sha)
  // Its status is written after the commit was passed on; a source that is killed in between has not said it.
  await set.waitReady('GitRepository', 'fleet', sha)
}

function setpoint(...args: string[]): Promise<{ code: number; output: string }> {
  const all = [...args, '-n', NAMESPACE, '--kubeconfig', set.plane.kubeconfig]
  return new Promise((resolve) => {
    execFile(program, all, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}
