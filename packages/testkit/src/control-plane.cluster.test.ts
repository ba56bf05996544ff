import { expect, it } from 'vitest'
import { startControlPlane } from './control-plane.ts'
import { kubectlFor } from './kubectl.ts'
import { sharedCluster, testNamespace } from './shared-cluster.ts'

it('a Deployment in the shared control plane rolls out on fake nodes', async () => {
  const cluster = await sharedCluster()
  await using namespace = await testNamespace(cluster)
  await cluster.kubectl(
    '-n',
    namespace.name,
    'create',
    'deployment',
    'web',
    '--image=nginx:1',
    '--replicas=2',
  )
  await cluster.kubectl('-n', namespace.name, 'rollout', 'status', 'deployment/web', '--timeout=30s')
})

it('a service account may do only what RBAC allows it', async () => {
  const cluster = await sharedCluster()
  await using namespace = await testNamespace(cluster)
  const kubectl = kubectlFor(await cluster.kubeconfigFor({ namespace: namespace.name, name: 'reader' }))
  expect(await kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).toBe(
    `system:serviceaccount:${namespace.name}:reader`,
  )
  await expect(kubectl('get', 'secrets', '-A')).rejects.toThrow(/Forbidden/)
})

it('an API server that was away comes back on the same port with its data, and nobody outlives the disposal', async () => {
  const pids: number[] = []
  {
    await using plane = await startControlPlane()
    await plane.kubectl('create', 'namespace', 'kept')
    await plane.stopApiServer()
    await expect(plane.kubectl('get', 'namespace', 'kept')).rejects.toThrow(/refused/)
    await plane.startApiServer()
    expect(await plane.kubectl('get', 'namespace', 'kept', '-o', 'name')).toBe('namespace/kept\n')
    pids.push(...Object.values(plane.pids))
  }
  expect(pids.filter(isAlive)).toEqual([])
})

it('two control planes at once know nothing of each other', async () => {
  await using first = await startControlPlane()
  await using second = await startControlPlane()
  await first.kubectl('create', 'namespace', 'mine')
  await expect(second.kubectl('get', 'namespace', 'mine')).rejects.toThrow(/NotFound/)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
