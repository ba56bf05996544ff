import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import {
  binary,
  freePort,
  sharedCluster,
  startTcpProxy,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changedKubeconfig, configMap, configMaps, recordingInformer, whoAmI } from '../test/cluster.ts'
import {
  connectKube,
  fromKubeConfigText,
  type KubeClient,
  KubeConfigError,
  KubeUnreachableError,
} from './index.ts'

let cluster: Awaited<ReturnType<typeof sharedCluster>>
let admin: KubeClient
let namespace: Awaited<ReturnType<typeof testNamespace>>
let directory: Awaited<ReturnType<typeof temporaryDirectory>>

beforeAll(async () => {
  cluster = await sharedCluster()
  admin = await connectKube({ kubeconfig: cluster.kubeconfig })
  namespace = await testNamespace(cluster)
  directory = await temporaryDirectory('kube')
})

afterAll(async () => {
  await namespace[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
  await admin[Symbol.asyncDispose]()
})

/** Writes a changed copy of the cluster's kubeconfig; its path. */
async function kubeconfigWith(
  name: string,
  change: Parameters<typeof changedKubeconfig>[1],
): Promise<string> {
  const path = join(directory.path, name)
  await writeFile(path, await changedKubeconfig(cluster.kubeconfig, change))
  return path
}

/** A token of a service account; made when missing. */
async function tokenOf(name: string): Promise<string> {
  await admin.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: namespace.name } },
    { fieldManager: 'test' },
  )
  const answer = (await admin.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace.name}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
  })) as { status: { token: string } }
  return answer.status.token
}

const account = (name: string) => `system:serviceaccount:${namespace.name}:${name}`

describe('credentials', () => {
  test('a token file that is replaced is taken up while the connection stays', async () => {
    const tokenFile = join(directory.path, 'token')
    await writeFile(tokenFile, await tokenOf('first'))
    const path = await kubeconfigWith('token-file', { user: { tokenFile: 'token' } })
    await using client = await connectKube({ kubeconfig: path })
    expect(await whoAmI(client)).toBe(account('first'))
    await writeFile(tokenFile, `${await tokenOf('second')}\n`)
    await waitFor('the new token', async () => (await whoAmI(client)) === account('second'))
  })

  test('a token that the server refuses is read again at once', async () => {
    const tokenFile = join(directory.path, 'expired-token')
    await writeFile(tokenFile, 'expired')
    const path = await kubeconfigWith('expired', { user: { tokenFile } })
    await using client = await connectKube({ kubeconfig: path })
    await expect(whoAmI(client)).rejects.toMatchObject({ code: 401, reason: 'Unauthorized' })
    await writeFile(tokenFile, await tokenOf('first'))
    expect(await whoAmI(client)).toBe(account('first'))
  })

  test('a credential plugin is asked for the token, once', async () => {
    const calls = join(directory.path, 'calls')
    const status = { token: await tokenOf('plugin') }
    const output = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status,
    })
    const script = `require('fs').appendFileSync(${JSON.stringify(calls)}, 'x'); console.log(${JSON.stringify(output)})`
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', script],
    }
    const path = await kubeconfigWith('exec', { user: { exec } })
    await using client = await connectKube({ kubeconfig: path })
    const names = await Promise.all([whoAmI(client), whoAmI(client)])
    expect(names).toEqual([account('plugin'), account('plugin')])
    expect(await readFile(calls, 'utf8')).toBe('x')
  })

  test('a credential plugin that fails says so without its output', async () => {
    const exec = { command: process.execPath, args: ['-e', 'console.log("secret"); process.exit(3)'] }
    const path = await kubeconfigWith('exec-fails', { user: { exec } })
    await using client = await connectKube({ kubeconfig: path })
    await expect(whoAmI(client)).rejects.toThrow(/^credential plugin .* failed with exit code 3$/)
  })

  test('a kubeconfig of somebody else may not start a command', async () => {
    const text = await changedKubeconfig(cluster.kubeconfig, { user: { exec: { command: 'id' } } })
    await expect(fromKubeConfigText(text)).rejects.toThrow(KubeConfigError)
    await expect(fromKubeConfigText(text)).rejects.toThrow('starts the command id, which is not allowed here')
  })
})

describe('a server that does not answer', () => {
  test('nobody listening is an error at once', async () => {
    const path = await kubeconfigWith('nobody', { cluster: { server: 'https://127.0.0.1:1' } })
    await using client = await connectKube({ kubeconfig: path })
    const refused = client.get(configMaps, { namespace: 'default', name: 'a' })
    await expect(refused).rejects.toThrow(KubeUnreachableError)
    await expect(refused).rejects.toThrow(
      "https://127.0.0.1:1 can't be reached: connect ECONNREFUSED 127.0.0.1:1",
    )
  })

  test('a server that accepts and stays silent is given up after the timeout', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const path = await kubeconfigWith('silent', { cluster: { server } })
    await using client = await connectKube({ kubeconfig: path, requestTimeoutMs: 300 })
    const begun = performance.now()
    await expect(client.request({ method: 'GET', path: '/version' })).rejects.toThrow(
      `GET /version: no answer from ${server} within 0.3 s`,
    )
    expect(performance.now() - begun).toBeLessThan(2000)
    silent.close()
  })

  test('a signal ends a request with its own reason', async () => {
    const reason = new Error('enough')
    const request = admin.request({ method: 'GET', path: '/version', signal: AbortSignal.abort(reason) })
    await expect(request).rejects.toBe(reason)
  })

  test('a broken connection is made again for the next request', async () => {
    const port = Number(new URL(admin.server).port)
    await using proxy = await startTcpProxy(port)
    const path = await kubeconfigWith('proxy', { cluster: { server: `https://127.0.0.1:${proxy.port}` } })
    await using client = await connectKube({ kubeconfig: path })
    await client.request({ method: 'GET', path: '/version' })
    proxy.cut()
    await expect(client.request({ method: 'GET', path: '/version' })).rejects.toThrow(KubeUnreachableError)
    proxy.mend()
    expect(await client.request({ method: 'GET', path: '/version' })).toHaveProperty('gitVersion')
  })

  test('applies in flight when the connection breaks are all done in the end', async () => {
    await using proxy = await startTcpProxy(Number(new URL(admin.server).port))
    const path = await kubeconfigWith('flaky', { cluster: { server: `https://127.0.0.1:${proxy.port}` } })
    await using client = await connectKube({ kubeconfig: path })
    await client.resource(configMaps)
    const applies = Array.from({ length: 200 }, (_, index) =>
      client.apply(configMap(namespace.name, `flaky-${index}`, {}), { fieldManager: 'test' }),
    )
    await Promise.race(applies)
    proxy.cut()
    proxy.mend()
    expect(await Promise.all(applies)).toHaveLength(200)
  })
})

describe('a server without TLS', () => {
  test('the same calls and watches work over plain HTTP', async () => {
    const port = await freePort()
    const kubectl = await binary('kubectl')
    const proxy = spawn(kubectl, ['proxy', `--port=${port}`, '--kubeconfig', cluster.kubeconfig], {
      stdio: 'ignore',
    })
    try {
      const path = await kubeconfigWith('plain', { cluster: { server: `http://127.0.0.1:${port}` } })
      await using client = await connectKube({ kubeconfig: path })
      await waitFor('kubectl proxy', () => client.request({ method: 'GET', path: '/version' }))
      const stop = new AbortController()
      const { informer } = recordingInformer(client, namespace.name, stop.signal)
      await informer.synced
      await waitFor('the watch', () => informer.healthy)
      await client.apply(configMap(namespace.name, 'plain', { a: '1' }), { fieldManager: 'test' })
      await waitFor('the object', () => informer.get(namespace.name, 'plain'))
      expect(await client.get(configMaps, { namespace: namespace.name, name: 'absent' })).toBeUndefined()
      stop.abort()
    } finally {
      proxy.kill('SIGKILL')
    }
  })
})

describe('a server that is too busy', () => {
  const path = '/openapi/v3/api/v1'

  test('requests that it refuses wait as long as it asks for, and all succeed', async () => {
    const busy = await makeBusy('wait')
    const requests = Array.from({ length: 12 }, () =>
      admin.request({ method: 'GET', path, impersonate: busy.user }),
    )
    expect(await Promise.all(requests)).toHaveLength(12)
    expect(await busy.refused()).toBeGreaterThan(0)
    await busy.end()
  })

  test('a request without the time to wait fails with the answer of the server', async () => {
    const busy = await makeBusy('fail')
    const requests = Array.from({ length: 12 }, () =>
      admin.request({ method: 'GET', path, impersonate: busy.user, timeoutMs: 900 }),
    )
    const results = await Promise.allSettled(requests)
    const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) expect(failure).toMatchObject({ name: 'KubeApiError', code: 429 })
    await busy.end()
  })

  /** Makes the API server refuse a user's second request with a 429 while the first one runs. */
  async function makeBusy(suffix: string) {
    const name = `${namespace.name}-${suffix}`
    const group = 'flowcontrol.apiserver.k8s.io'
    const level = { group, kind: 'PriorityLevelConfiguration' }
    const flow = { group, kind: 'FlowSchema' }
    const apiVersion = `${group}/v1`
    const limited = {
      nominalConcurrencyShares: 0,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Reject' },
    }
    await admin.create({
      apiVersion,
      kind: level.kind,
      metadata: { name },
      spec: { type: 'Limited', limited },
    })
    const subjects = [{ kind: 'User', user: { name } }]
    const rules = [{ subjects, nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }]
    const spec = { priorityLevelConfiguration: { name }, matchingPrecedence: 5, rules }
    await admin.create({ apiVersion, kind: flow.kind, metadata: { name }, spec })
    const served = async () => {
      await admin.request({ method: 'GET', path: '/version', impersonate: name })
      return (await counts())?.dispatched
    }
    const counts = async () => {
      const debug = '/debug/api_priority_and_fairness/dump_priority_levels'
      const table = String(await admin.request({ method: 'GET', path: debug }))
      const row = table.split('\n').find((line) => line.startsWith(`${name},`))
      const cells = row?.split(',').map((cell) => Number(cell.trim()))
      return cells && { dispatched: cells[6] ?? 0, refused: cells[7] ?? 0 }
    }
    await waitFor('the limit is in force', served)
    return {
      user: name,
      refused: async () => (await counts())?.refused ?? 0,
      async end() {
        await admin.delete(flow, { name })
        await admin.delete(level, { name })
      },
    }
  }
})
