import {
  type ProxyServer,
  type SshServer,
  startGitServer,
  startProxy,
  startSshServer,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitError } from './errors.ts'
import { listRemote } from './list-remote.ts'
import type { ProxyOptions, RemoteOptions } from './remote-options.ts'

const credentials = { username: 'ada', password: 'hunter2' }
const stack = new AsyncDisposableStack()
let remotes: Record<'http' | 'https' | 'ssh', RemoteOptions>
const proxies: Record<string, ProxyServer> = {}
beforeAll(async () => {
  for (const kind of ['http', 'socks5'] as const) {
    proxies[kind] = stack.use(await startProxy({ kind }))
    proxies[`${kind} with a password`] = stack.use(await startProxy({ kind, credentials }))
  }
  const plain = stack.use(await startGitServer())
  const secure = stack.use(await startGitServer({ tls: true }))
  const ssh: SshServer = stack.use(await startSshServer())
  const ofServer = async (server: typeof plain | SshServer) => {
    const repo = await server.create('r')
    await repo.commit({ 'a.yaml': 'a: 1\n' })
    return { url: repo.url, timeoutMs: 20_000 }
  }
  remotes = {
    http: await ofServer(plain),
    https: { ...(await ofServer(secure)), caPem: secure.caPem ?? '' },
    ssh: {
      ...(await ofServer(ssh)),
      ssh: { identity: await ssh.createKey(), knownHosts: await ssh.knownHosts() },
    },
  }
})
afterAll(() => stack.disposeAsync())

function through(name: string, given?: Partial<ProxyOptions>): ProxyOptions {
  const withPassword = name.includes('password') ? credentials : {}
  return { address: proxies[name]?.address ?? '', ...withPassword, ...given }
}

describe.each(['http', 'http with a password', 'socks5', 'socks5 with a password'])('a proxy: %s', (name) => {
  test.each(['http', 'https', 'ssh'] as const)('leads to a repository by %s', async (scheme) => {
    const remote = remotes[scheme]
    expect((await listRemote({ ...remote, proxy: through(name) })).refs.size).toBe(1)
    expect(proxies[name]?.targets).toContain(new URL(remote.url).host)
  })
})

test.each(['http', 'https', 'ssh'] as const)(
  'a proxy that refuses: %s fails, without the password',
  async (scheme) => {
    for (const kind of ['http', 'socks5']) {
      const proxy = through(`${kind} with a password`, { password: 'wrong-secret' })
      const error = await listRemote({ ...remotes[scheme], proxy }).catch((cause: unknown) => cause)
      expect(error).toBeInstanceOf(GitError)
      expect(String(error)).toContain('proxy')
      expect(String(error)).not.toContain('wrong-secret')
    }
  },
)

test('a server that asks for a client certificate', async () => {
  await using server = await startGitServer({ tls: true, clientCertificates: true })
  const repo = await server.create('r')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  const { cert = '', key = '' } = server.client ?? {}
  const remote = { url: repo.url, timeoutMs: 20_000, caPem: server.caPem ?? '' }
  const listed = await listRemote({ ...remote, clientCertificate: { certPem: cert, keyPem: key } })
  expect(listed.refs.size).toBe(1)
  await expect(listRemote(remote)).rejects.toMatchObject({ code: 'Unreachable' })
  const broken = { ...remote, clientCertificate: { certPem: 'no certificate', keyPem: key } }
  await expect(listRemote(broken)).rejects.toMatchObject({ name: 'GitError' })
})

test.each(['http://169.254.169.254/r.git', 'ssh://git@169.254.169.254/r.git', 'http://[fe80::1]/r.git'])(
  '%s is on a link-local address, and refused',
  async (url) => {
    const ssh = remotes.ssh.ssh
    const remote = { url, timeoutMs: 5_000, ...(ssh === undefined ? {} : { ssh }) }
    await expect(listRemote(remote)).rejects.toMatchObject({ code: 'AddressRefused' })
  },
)
