import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { ArchiveOutline, digestOf, writeTarGz } from '@setpoint/artifact'
import { type Artifact, EXTERNAL_ARTIFACT } from '@setpoint/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMap, type Setup, startSetup } from './harness.ts'

/** The maker of ExternalArtifacts: it serves archives, and says so in the status of the objects. */
const served = new Map<string, Uint8Array>()
let server: Server
let setup: Setup
beforeAll(async () => {
  server = createServer((request, response) => {
    const bytes = served.get(request.url ?? '')
    if (request.url === '/moved.tar.gz') response.writeHead(302, { location: '/app-1.tar.gz' }).end()
    else response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  setup = await startSetup(['--max-source-mib=1'])
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await setup[Symbol.asyncDispose]()
})

const names = async (name: string, revision: string) =>
  (await setup.objects(await setup.untilRendered(name, revision))).map(({ metadata }) => metadata.name)

test('another artifact is fetched and rendered as soon as its status says so', async () => {
  await announce('app', await serve('/app-1.tar.gz', { 'deploy/a.yaml': configMap('one') }), 'v1')
  await follow('app')
  expect(await names('app', 'v1')).toEqual(['one'])
  await announce('app', await serve('/app-2.tar.gz', { 'deploy/a.yaml': configMap('two') }), 'v2')
  expect(await names('app', 'v2')).toEqual(['two'])
})

test('what cannot be fetched, or is something else than its digest says, is ArtifactFailed; the set before stays', async () => {
  const good = await serve('/good.tar.gz', { 'deploy/a.yaml': configMap('good') })
  await announce('bad', good, 'v1')
  await follow('bad')
  const before = await setup.untilRendered('bad', 'v1')
  served.set('/other.tar.gz', Buffer.from('other bytes'))
  const cases: [Partial<Artifact>, string][] = [
    [{ url: addressOf('/other.tar.gz') }, 'and status.artifact.digest is'],
    [{ url: addressOf('/none.tar.gz') }, 'answers HTTP 404'],
    [{ url: 'file:///etc/passwd' }, 'is no http or https address'],
    [{ url: addressOf('/moved.tar.gz') }, 'cannot fetch'],
    [await serveBytes('/large.tar.gz', Buffer.alloc(2 * 1024 * 1024)), 'sends more than 1048576 bytes'],
    [await serveBytes('/text.tar.gz', Buffer.from('text')), 'no .tar.gz that can be read'],
  ]
  for (const [change, message] of cases) {
    await announce('bad', { ...good, ...change }, 'v2')
    await setup.until('bad', `says ${message}`, ({ problem }) => problem?.message.includes(message) === true)
  }
  await announce('bad', good, 'v3')
  expect((await setup.untilRendered('bad', 'v3')).set?.digest).toBe(before.set?.digest)
})

test('an object that does not exist, has no artifact, or is deleted', async () => {
  await follow('later')
  expect(await setup.untilProblem('later', 'ArtifactFailed')).toContain("later' not found")
  await createObject('later')
  await setup.until(
    'later',
    'waits',
    ({ problem }) => problem?.message.includes('artifact not found') === true,
  )
  await announce('later', await serve('/later.tar.gz', { 'deploy/a.yaml': configMap('later') }), 'v1')
  expect(await names('later', 'v1')).toEqual(['later'])
  await setup.kube.delete(EXTERNAL_ARTIFACT, { namespace: setup.namespace, name: 'later' })
  await setup.until('later', 'misses it', ({ problem }) => problem?.message.includes('not found') === true)
})

const addressOf = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`

async function serve(path: string, files: Record<string, string>): Promise<Artifact> {
  const contents = Object.entries(files).map(([name, text]) => {
    const content = Buffer.from(text)
    return { path: name, blobId: name, mode: '100644' as const, size: content.length }
  })
  const archive = writeTarGz(ArchiveOutline.of(contents), (file) => Buffer.from(files[file.path] ?? ''))
  return serveBytes(path, await buffer(archive))
}

async function serveBytes(path: string, bytes: Uint8Array): Promise<Artifact> {
  served.set(path, bytes)
  const digest = digestOf(bytes)
  return { url: addressOf(path), path, digest, revision: '', lastUpdateTime: new Date().toISOString() }
}

async function createObject(name: string): Promise<void> {
  const { group, version, kind } = EXTERNAL_ARTIFACT
  const metadata = { namespace: setup.namespace, name }
  await setup.kube.create({ apiVersion: `${group}/${version}`, kind, metadata, spec: {} })
}

async function announce(name: string, artifact: Artifact, revision: string): Promise<void> {
  const key = { namespace: setup.namespace, name }
  if ((await setup.kube.get(EXTERNAL_ARTIFACT, key)) === undefined) await createObject(name)
  const status = { artifact: { ...artifact, revision } }
  await setup.kube.mergePatch(EXTERNAL_ARTIFACT, key, { status }, { subresource: 'status' })
}

async function follow(name: string): Promise<void> {
  await setup.create(name, { path: './deploy', sourceRef: { kind: 'ExternalArtifact', name } })
}
