import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { OCIRepository } from '@setpoint/contracts'
import { type RegistryServer, startRegistry } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startOciSetup } from './harness.ts'
import { type Entry, tarGz } from './tar-gz.ts'

/** Artifacts and registries that are not what they should be. What was there before stays. */

const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip'
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const stack = new AsyncDisposableStack()
let setup: Setup<OCIRepository>
let registry: RegistryServer

beforeAll(async () => {
  const limits = [
    ...['max-artifact-bytes=100000', 'max-file-bytes=50000', 'max-files=20', 'max-path-depth=5'],
    ...['max-fetch-bytes=200000', 'max-redirects=2'],
  ]
  setup = stack.use(await startOciSetup({ args: limits.map((limit) => `--${limit}`) }))
  registry = stack.use(await startRegistry())
})
afterAll(() => stack.disposeAsync())

const urlOf = (repository: string) => `oci://${registry.host}/${repository}`

/** An OCIRepository that is Ready with one file. */
async function readyOne(name: string): Promise<OCIRepository> {
  await pushLayer(name, await tarGz({ name: 'a.yaml', content: 'a: 1' }))
  await setup.create(name, { url: urlOf(name), interval: '1h' })
  return setup.untilReady(name, 'True')
}

const pushLayer = (repository: string, content: Uint8Array, mediaType = CONTENT) =>
  registry.pushLayers(repository, 'latest', [{ mediaType, content }])

async function expectRefused(good: OCIRepository, reason: string, message: string): Promise<void> {
  const { name } = good.metadata
  setup.hint(name)
  const failed = await setup.untilReady(name, 'False', reason)
  expect(readyMessage(failed)).toContain(message)
  expect(conditionOf(failed, 'FetchFailed')).toMatchObject({ status: 'True', reason })
  await setup.expectKept(good)
  expect(await setup.files(name)).toEqual({ 'a.yaml': 'a: 1' })
}

const deep = { name: 'a/b/c/d/e/f/g', content: 'x' }
const many = Array.from({ length: 21 }, (_, n) => ({ name: `${n}`, content: 'x' }))
const whole = (...entries: Entry[]) => tarGz({ name: 'fine.yaml', content: 'x' }, ...entries)
const noise = () => crypto.getRandomValues(new Uint8Array(60_000))

describe('a layer', () => {
  test.each<[string, () => Promise<Uint8Array> | Uint8Array, string]>([
    ['with a path with ..', () => whole({ name: '../evil.yaml', content: 'x' }), 'which is refused'],
    ['with .. within a path', () => whole({ name: 'a/../../evil', content: 'x' }), 'which is refused'],
    ['with an absolute path', () => whole({ name: '/etc/evil', content: 'x' }), 'which is refused'],
    ['with a backslash path', () => whole({ name: 'a\\..\\evil', content: 'x' }), 'which is refused'],
    [
      'with a hard link',
      () => whole({ name: 'l', type: 'link', linkname: '/etc/passwd' }),
      'a link, which is refused',
    ],
    ['with a device', () => whole({ name: 'null', type: 'character-device' }), 'which is refused'],
    ['with a block device', () => whole({ name: 'sda', type: 'block-device' }), 'which is refused'],
    ['with a pipe', () => whole({ name: 'pipe', type: 'fifo' }), 'which is refused'],
    [
      'with a file that is a directory to others',
      () => whole({ name: 'a', content: 'x' }, { name: 'a/b', content: 'x' }),
      'both as a file and as a directory',
    ],
    ['with a path without end', () => whole({ name: 'n'.repeat(5_000), content: 'x' }), 'which is refused'],
    ['with a path over --max-path-depth', () => whole(deep), 'more than 5 directories deep'],
    ['with more entries than --max-files', () => whole(...many), 'more than 20 entries'],
    [
      'with a file over --max-file-bytes',
      () => whole({ name: 'x', content: 'x'.repeat(50_001) }),
      'more than the limit of 50000',
    ],
    [
      'with files over --max-artifact-bytes',
      () => whole(...['a', 'b', 'c'].map((name) => ({ name, content: 'x'.repeat(40_000) }))),
      'files of more than 100000 bytes',
    ],
    ['that is a bomb', () => gzipSync(Buffer.alloc(64 * 1024 * 1024)), 'unpacks to more than'],
    ['that is half an archive', async () => (await whole()).subarray(0, 60), 'no .tar.gz that can be read'],
    ['that is no archive', () => Buffer.from('<html>'), 'no .tar.gz that can be read'],
  ])('%s is refused', async (_what, make, message) => {
    const good = await readyOne(`layer-${crypto.randomUUID()}`)
    await pushLayer(good.metadata.name, await make())
    await expectRefused(good, 'OCIArtifactLayerOperationFailed', message)
  })

  test('that is larger than --max-fetch-bytes is not downloaded', async () => {
    const good = await readyOne('large')
    await pushLayer('large', Buffer.concat([noise(), noise(), noise(), noise()]))
    await expectRefused(good, 'OCIArtifactPullFailed', 'more than the limit of 200000')
  })

  test('whose media type is not the one that is asked for: the message names what there is', async () => {
    const good = await readyOne('mediatype')
    await setup.patchSpec('mediatype', { layerSelector: { mediaType: 'application/x-none' } })
    await expectRefused(good, 'OCIArtifactLayerOperationFailed', CONTENT)
  })

  test('with a symlink that leads out is taken without it; names that differ in case or Unicode form stay apart', async () => {
    const link: Entry = { name: 'out', type: 'symlink', linkname: '/etc/passwd' }
    const files = { 'A.yaml': '1', 'a.yaml': '2', 'caf\u00e9': '3', 'cafe\u0301': '4' }
    const entries = Object.entries(files).map(([name, content]) => ({ name, content }))
    await pushLayer('symlink', await tarGz(link, ...entries))
    await setup.create('symlink', { url: urlOf('symlink') })
    await setup.untilReady('symlink', 'True')
    expect(await setup.files('symlink')).toEqual(files)
  })

  test.each([
    ['with other bytes than its digest says', 'tampered', 'instead of sha256:'],
    ['that is missing', 'missing', ''],
  ])('%s is refused', async (_what, name, message) => {
    const good = await readyOne(name)
    const own = Buffer.concat([await whole(), gzipSync(name)])
    await pushLayer(name, own)
    await overwrite(sha256(own), name === 'missing' ? Buffer.alloc(0) : Buffer.alloc(own.length, 'x'))
    await expectRefused(good, 'OCIArtifactPullFailed', message)
  })
})

describe('a manifest', () => {
  test('with other bytes than its digest says is refused', async () => {
    const good = await readyOne('manifest')
    const digest = await pushLayer('manifest', await whole())
    await overwrite(digest, Buffer.from('{"schemaVersion":2,"layers":[]}'))
    await expectRefused(good, 'OCIArtifactPullFailed', '')
  })

  test('that no tag, digest or repository leads to is told', async () => {
    await pushLayer('few', await whole())
    await setup.create('notag', { url: urlOf('few'), ref: { tag: 'none' } })
    await setup.create('nodigest', { url: urlOf('few'), ref: { digest: `sha256:${'0'.repeat(64)}` } })
    await setup.create('norepository', { url: urlOf('none') })
    for (const name of ['notag', 'nodigest', 'norepository'])
      await setup.untilReady(name, 'False', 'OCIArtifactPullFailed')
  })
})

describe('a registry', () => {
  const served = (manifest: string, type = IMAGE): Handler => {
    return (_request, response) =>
      response
        .writeHead(200, { 'content-type': type, 'docker-content-digest': sha256(Buffer.from(manifest)) })
        .end(manifest)
  }
  test.each<[string, Handler, string, Partial<OCIRepository['spec']>?]>([
    [
      'with a manifest of an unknown media type',
      served('{"mediaType":"application/x-evil","layers":[]}', 'application/x-evil'),
      'application/x-evil',
    ],
    ['with a manifest that is none', served('<html>'), 'manifest'],
    ['that never answers', () => undefined, 'did not answer within 1 s', { timeout: '1s' }],
    [
      'that redirects to where clouds keep credentials',
      (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      'is a link-local address, which is refused',
    ],
    [
      'that redirects in circles',
      ({ url }, response) => response.writeHead(307, { location: url ?? '' }).end(),
      'redirects more than 2 times',
    ],
    [
      'that wants to be left alone',
      (_request, response) => response.writeHead(429, { 'retry-after': '60' }).end(),
      'asked for fewer requests',
    ],
    [
      'that wants a token from a file',
      (_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }).end(),
      'no https address to get tokens from',
    ],
  ])('%s: the message says so', async (what, handler, message, spec = {}) => {
    const good = await readyOne(`registry-${crypto.randomUUID()}`)
    await using evil = await serve(handler)
    await setup.patchSpec(good.metadata.name, { ...spec, url: `oci://${evil.host}/evil` })
    const reason = what.includes('token') ? 'AuthenticationFailed' : 'OCIArtifactPullFailed'
    await expectRefused(good, reason, message)
    await setup.patchSpec(good.metadata.name, { suspend: true })
  })
})

test('what only a change of the spec can help stalls', async () => {
  await setup.create('badurl', { url: `${urlOf('team/app')}:latest` })
  const bad = await setup.untilReady('badurl', 'False', 'URLInvalid')
  expect(conditionOf(bad, 'Stalled')?.status).toBe('True')
  await setup.create('verified', { url: urlOf('team/app'), verify: { provider: 'notation' } })
  expect(readyMessage(await setup.untilReady('verified', 'False', 'NotImplemented'))).toContain('spec.verify')
})

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** What the registry keeps under a digest becomes something else. */
async function overwrite(digest: string, bytes: Uint8Array): Promise<void> {
  const hex = digest.slice('sha256:'.length)
  const blobs = join(registry.root, 'docker/registry/v2/blobs/sha256')
  await writeFile(join(blobs, hex.slice(0, 2), hex, 'data'), bytes)
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function serve(handler: Handler): Promise<{ host: string } & AsyncDisposable> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
