import { generateKeyPairSync, verify } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGitServer } from '@setpoint/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { GitHubApps } from './github-app.ts'
import { listRemote } from './list-remote.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const options = { timeoutMs: 10_000 }
const HOUR = 3_600_000

let api: Server
let baseUrl: string
let asked: string[] = []
let nowMs = Date.UTC(2026, 0, 1)
beforeAll(async () => {
  api = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (!isSigned(request.headers.authorization)) return void response.writeHead(401).end('{}')
    if (request.url?.startsWith('/app/installations?')) {
      const others = Array.from({ length: 100 }, (_, id) => ({ id, account: { login: `org-${id}` } }))
      const last = [{ id: 4711, account: { login: 'Acme' } }]
      return void response.end(JSON.stringify(request.url.endsWith('page=1') ? others : last))
    }
    if (request.url !== '/app/installations/4711/access_tokens') return void response.writeHead(404).end('{}')
    const expires_at = new Date(nowMs + HOUR).toISOString()
    response.writeHead(201).end(JSON.stringify({ token: `token-${asked.length}`, expires_at }))
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
})
afterAll(() => void api.close())
beforeEach(() => {
  asked = []
})

/** As GitHub checks it: who says so, when, and the signature of the app's key. */
function isSigned(header: string | undefined): boolean {
  const [head, payload, signature] = header?.replace('Bearer ', '').split('.') ?? []
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as Record<
    string,
    number | string
  >
  const isRight = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${payload}`),
    publicKey,
    Buffer.from(signature ?? '', 'base64url'),
  )
  return isRight && claims.iss === '42' && Number(claims.exp) - Number(claims.iat) <= 600
}

test('a token is asked for once, by many at a time, and again shortly before it ends', async () => {
  const apps = new GitHubApps(() => nowMs)
  const app = { appId: '42', installationId: '4711', privateKey: pem, baseUrl }
  const [first, second] = await Promise.all([apps.credentials(app, options), apps.credentials(app, options)])
  expect(first).toEqual({ username: 'x-access-token', password: 'token-1' })
  expect(second).toEqual(first)
  nowMs += HOUR - 6 * 60_000
  expect(await apps.credentials(app, options)).toEqual(first)
  nowMs += 2 * 60_000
  expect(await apps.credentials(app, options)).toMatchObject({ password: 'token-2' })
})

test('the installation is found by its owner, on a later page too', async () => {
  const app = { appId: '42', owner: 'acme', privateKey: pem, baseUrl }
  expect(await new GitHubApps(() => nowMs).credentials(app, options)).toMatchObject({ password: 'token-3' })
  const stranger = { ...app, owner: 'nobody' }
  await expect(new GitHubApps(() => nowMs).credentials(stranger, options)).rejects.toThrow(
    'not installed for "nobody"',
  )
})

test.each([
  [
    'a key of somebody else',
    {
      privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString(),
    },
    'HTTP 401',
  ],
  ['no key at all', { privateKey: 'nonsense' }, 'not a private key'],
  ['an installation that is not there', { installationId: '1' }, 'HTTP 404'],
])('%s: AuthenticationFailed, and the key is not shown', async (_what, change, message) => {
  const app = { appId: '42', installationId: '4711', privateKey: pem, baseUrl, ...change }
  const error = await new GitHubApps(() => nowMs).credentials(app, options).catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'AuthenticationFailed' })
  expect(String(error)).toContain(message)
  expect(String(error)).not.toMatch(/nonsense|PRIVATE/)
})

test('the token opens a repository', async () => {
  const apps = new GitHubApps(() => nowMs)
  const app = { appId: '42', installationId: '4711', privateKey: pem, baseUrl }
  await using git = await startGitServer({ basic: { username: 'x-access-token', password: 'token-1' } })
  const repo = await git.create('r')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  const auth = await apps.credentials(app, options)
  expect((await listRemote({ url: repo.url, ...options, auth })).refs.size).toBe(1)
})
