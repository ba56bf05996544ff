import type { GitRepositorySpec, ImageRepositorySpec } from '@setpoint/contracts'
import { GitHubApps } from '@setpoint/git'
import { parseImageName } from '@setpoint/registry'
import { describe, expect, it } from 'vitest'
import { registryAccessOf } from './registry.ts'
import { remoteOf } from './remote.ts'
import { secretValues } from './secret-values.ts'

type Data = Record<string, string>

const secret = (data: Data | undefined, name = 'apps/login') =>
  data === undefined ? undefined : secretValues(name, encode(data))

describe('a Git server is reached', () => {
  const remote = (spec: Partial<GitRepositorySpec>, data?: Data, proxy?: Data) =>
    remoteOf(
      { url: 'https://git.example.com/fleet', interval: '1m', ...spec },
      {
        secret: secret(data),
        proxySecret: secret(proxy, 'apps/proxy'),
        githubApps: new GitHubApps(() => 0),
        gitLogins: { get: async ({ provider }) => ({ bearerToken: `of ${provider}` }) },
        namespace: 'apps',
        limits: { maxBytes: 1024 },
        signal: AbortSignal.timeout(1_000),
      },
    )
  const ssh = { url: 'ssh://git@git.example.com/fleet' }

  it.each<[string, Partial<GitRepositorySpec>, Data | undefined, object]>([
    ['by nobody', { timeout: '5s' }, undefined, { timeoutMs: 5_000, maxBytes: 1024 }],
    ['with a password', {}, { username: 'ada', password: 'p' }, { auth: { username: 'ada', password: 'p' } }],
    ['with a token', {}, { bearerToken: 't' }, { auth: { bearerToken: 't' } }],
    ['with an old name of the authority', {}, { caFile: 'pem' }, { caPem: 'pem' }],
    ['as a cloud says', { provider: 'azure' }, undefined, { auth: { bearerToken: 'of azure' } }],
    ['over SSH', ssh, { identity: 'key', known_hosts: 'h' }, { ssh: { identity: 'key', knownHosts: 'h' } }],
  ])('%s', async (_what, spec, data, expected) => {
    expect(await remote(spec, data)).toMatchObject(expected)
  })

  it('through a proxy', async () => {
    const given = { address: 'http://proxy:3128', username: 'ada' }
    expect(await remote({}, undefined, given)).toMatchObject({ proxy: given })
    await expect(remote({}, undefined, { username: 'ada' })).rejects.toThrow('"apps/proxy" has no address')
  })

  it.each<[string, Partial<GitRepositorySpec>, Data | undefined, string, string]>([
    ['what is no address', { url: 'nowhere' }, undefined, 'InvalidUrl', 'is not a URL'],
    ['a password alone', {}, { password: 'secret-1' }, 'UnusableSecret', 'no username'],
    ['two ways to log in', {}, { bearerToken: 'secret-1', username: 'a' }, 'UnusableSecret', 'one of them'],
    ['half a certificate', {}, { 'tls.crt': 'secret-1' }, 'UnusableSecret', 'only one of'],
    ['SSH without a key', ssh, { known_hosts: 'secret-1' }, 'UnusableSecret', 'no identity'],
    ['SSH without trust', ssh, { identity: 'secret-1' }, 'UnusableSecret', 'no known_hosts'],
    ['a GitHub App without its provider', {}, { githubAppID: '1' }, 'InvalidProvider', 'provider: github'],
    [
      'provider azure over SSH',
      { ...ssh, provider: 'azure' },
      { identity: 'k', known_hosts: 'h' },
      'InvalidProvider',
      'https',
    ],
    ['provider github without an app', { provider: 'github' }, {}, 'InvalidProvider', 'githubAppID'],
  ])('not with %s, which is said without its values', async (_what, spec, data, code, says) => {
    const error = await remote(spec, data).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) })
    expect(String(error)).not.toContain('secret-1')
  })
})

describe('a registry is reached', () => {
  const image = parseImageName('ghcr.io/team/web')
  const config = (host: string, username: string) => ({
    '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username, password: 'secret-1' } } }),
  })
  const access = (given: { own?: Data; pull?: Data[]; cert?: Data; proxy?: Data }) =>
    registryAccessOf({ image: 'ghcr.io/team/web', interval: '1m' } as ImageRepositorySpec, image, {
      secret: secret(given.own),
      pullSecrets: (given.pull ?? []).map((data) => secretValues('apps/pull', encode(data))),
      certSecret: secret(given.cert),
      proxySecret: secret(given.proxy),
    })

  it('as the user of the own Secret, else as the first of the pull secrets that knows the host', () => {
    const pull = [config('quay.io', 'other'), config('ghcr.io', 'pull')]
    expect(access({ own: config('ghcr.io', 'own'), pull }).credentials).toMatchObject({ username: 'own' })
    expect(access({ own: config('quay.io', 'own'), pull }).credentials).toMatchObject({ username: 'pull' })
    expect(access({ pull: [config('quay.io', 'other')] }).credentials).toBeUndefined()
  })

  it.each<[string, Parameters<typeof access>[0], string]>([
    ['a Secret of another kind', { own: { password: 'secret-1' } }, 'no .dockerconfigjson'],
    ['what is no JSON', { own: { '.dockerconfigjson': 'secret-1' } }, 'apps/login'],
    ['half a client certificate', { cert: { 'tls.crt': 'secret-1' } }, 'both tls.crt and tls.key'],
    ['an empty certificate Secret', { cert: { other: 'secret-1' } }, 'neither ca.crt'],
    ['a proxy that is no address', { proxy: { address: 'secret-1' } }, 'no address'],
  ])('not with %s, which is said without its values', (_what, given, says) => {
    const attempt = () => access(given)
    expect(attempt).toThrow(expect.objectContaining({ code: 'UnusableSecret' }))
    expect(attempt).toThrow(says)
    expect(attempt).not.toThrow('secret-1')
  })
})

function encode(data: Data): Data {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)]))
}
