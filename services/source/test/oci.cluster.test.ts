import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OCIRepository } from '@setpoint/contracts'
import {
  binary,
  REGISTRY_USER,
  type RegistryServer,
  startProxy,
  startRegistry,
  temporaryDirectory,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startOciSetup } from './harness.ts'
import { tarGz } from './tar-gz.ts'

const run = promisify(execFile)
const CONTENT = 'application/vnd.cncf.flux.content.v1.tar+gzip'
const stack = new AsyncDisposableStack()
let setup: Setup<OCIRepository>
let registry: RegistryServer
let flux: string

beforeAll(async () => {
  setup = stack.use(await startOciSetup({ args: ['--max-artifact-bytes=100000', '--max-file-bytes=50000'] }))
  registry = stack.use(await startRegistry())
  flux = await binary('flux')
})
afterAll(() => stack.disposeAsync())

const urlOf = (repository: string) => `oci://${registry.host}/${repository}`
const digestIn = (revision = '') => revision.slice(revision.indexOf('sha256:'))

/** Pushes files with the real flux CLI; returns the revision that it prints. */
async function push(repository: string, tag: string, files: Record<string, string>): Promise<string> {
  await using directory = await temporaryDirectory('manifests')
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text)
  const { stdout, stderr } = await run(flux, [
    ...['push', 'artifact', `${urlOf(repository)}:${tag}`, `--path=${directory.path}`],
    ...['--source=https://example.com/fleet.git', '--revision=main@sha1:1234', '--insecure-registry'],
  ])
  return /sha256:[0-9a-f]{64}/.exec(stdout + stderr)?.[0] ?? ''
}

describe('artifacts of oras push', () => {
  const files = { 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' }

  test('a directory: its files, below its name', async () => {
    await using directory = await temporaryDirectory('manifests')
    await mkdir(join(directory.path, 'deploy'))
    for (const [name, text] of Object.entries(files))
      await writeFile(join(directory.path, 'deploy', name), text)
    const target = `${registry.host}/oras/directory:1.0.0`
    await run(await binary('oras'), ['push', '--plain-http', target, 'deploy'], { cwd: directory.path })
    await setup.create('oras-directory', { url: urlOf('oras/directory'), ref: { semver: '1.x' } })
    await setup.untilReady('oras-directory', 'True')
    expect(await setup.files('oras-directory')).toEqual({
      'deploy/a.yaml': 'a: 1\n',
      'deploy/b.yaml': 'b: 1\n',
    })
  })

  test('an archive among other layers, by its media type', async () => {
    await using directory = await temporaryDirectory('manifests')
    const archive = await tarGz(...Object.entries(files).map(([name, content]) => ({ name, content })))
    await writeFile(join(directory.path, 'files.tar.gz'), archive)
    await writeFile(join(directory.path, 'readme.md'), '# notes')
    const layers = ['readme.md:text/markdown', `files.tar.gz:${CONTENT}`]
    const target = `${registry.host}/oras/archive:latest`
    await run(await binary('oras'), ['push', '--plain-http', target, ...layers], { cwd: directory.path })
    await setup.create('oras-archive', { url: urlOf('oras/archive'), layerSelector: { mediaType: CONTENT } })
    await setup.untilReady('oras-archive', 'True')
    expect(await setup.files('oras-archive')).toEqual(files)
  })
})

describe('artifacts of flux push artifact', () => {
  test('a tag is followed, and the archive and the status are as Flux has them', async () => {
    const first = await push('team/app', 'latest', { 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })
    await setup.create('app', { url: urlOf('team/app') })
    const ready = await setup.untilReady('app', 'True')
    const { artifact } = ready.status ?? {}
    expect(artifact).toMatchObject({
      revision: `latest@${first}`,
      path: `ocirepository/${setup.namespace}/app/${first}.tar.gz`,
      metadata: {
        'org.opencontainers.image.source': 'https://example.com/fleet.git',
        'org.opencontainers.image.revision': 'main@sha1:1234',
      },
    })
    expect(readyMessage(ready)).toBe(`stored artifact for revision 'latest@${first}'`)
    expect(await digestServed(artifact?.path ?? '')).toBe(artifact?.digest)

    const second = await push('team/app', 'latest', { 'a.yaml': 'a: 2\n' })
    setup.hint('app')
    await setup.untilCommit('app', second)
    expect(await setup.files('app')).toEqual({ 'a.yaml': 'a: 2\n' })
    const news =
      `stored artifact with revision 'latest@${second}' from '${urlOf('team/app')}', ` +
      "origin source 'https://example.com/fleet.git', origin revision 'main@sha1:1234'"
    await setup.untilEvent('app', ({ message }) => message === news)
  })

  test('digest counts before semver, semver before tag; semverFilter leaves tags out', async () => {
    const digests: Record<string, string> = {}
    for (const tag of ['1.0.0', '1.1.0', '1.2.0-rc.1', '1.3.0-windows'])
      digests[tag] = await push('team/versions', tag, { 'v.yaml': tag })
    const ref = { semver: '>=1.0.0-0', semverFilter: '^1\\.[012]\\.', tag: '1.0.0' }
    await setup.create('versions', { url: urlOf('team/versions'), ref })
    await setup.untilCommit('versions', `1.2.0-rc.1@${digests['1.2.0-rc.1']}`)
    await setup.patchSpec('versions', { ref: { semver: '1.x', semverFilter: null } })
    await setup.untilCommit('versions', `1.1.0@${digests['1.1.0']}`)
    const digest = digests['1.0.0'] ?? ''
    await setup.patchSpec('versions', { ref: { digest } })
    expect((await setup.untilCommit('versions', digest)).status?.artifact?.revision).toBe(digest)
    expect(await setup.files('versions')).toEqual({ 'v.yaml': '1.0.0' })
    await setup.patchSpec('versions', { ref: { digest: null, semver: '>=9' } })
    const failed = await setup.untilReady('versions', 'False', 'ReadOperationFailed')
    expect(readyMessage(failed)).toContain('none of the 4 tags')
    expect(failed.status?.artifact?.revision).toBe(digest)
  })

  test('spec.ignore leaves files out, and suspend stops the looking', async () => {
    const first = await push('team/ignored', 'latest', { 'a.yaml': 'a', 'notes.txt': 'b' })
    await setup.create('ignored', { url: urlOf('team/ignored'), ignore: '*.txt' })
    expect((await setup.untilReady('ignored', 'True')).status?.observedIgnore).toBe('*.txt')
    expect(await setup.files('ignored')).toEqual({ 'a.yaml': 'a' })
    await setup.patchSpec('ignored', { suspend: true })
    await push('team/ignored', 'latest', { 'a.yaml': 'other' })
    expect((await setup.request('ignored')).status?.artifact?.revision).toBe(`latest@${first}`)
    await setup.patchSpec('ignored', { suspend: false })
    await setup.until('ignored', 'goes on', ({ status }) => digestIn(status?.artifact?.revision) !== first)
  })

  test('copy serves the layer as it is; extract makes the archive anew', async () => {
    await push('team/copied', 'latest', { 'a.yaml': 'a', 'notes.txt': 'b' })
    const layerSelector = { mediaType: CONTENT, operation: 'copy' } as const
    await setup.create('copied', { url: urlOf('team/copied'), layerSelector, ignore: '*.txt' })
    const { status } = await setup.untilReady('copied', 'True')
    expect(status?.observedLayerSelector).toEqual(layerSelector)
    const manifest = await fetch(`http://${registry.host}/v2/team/copied/manifests/latest`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    })
    const [layer] = ((await manifest.json()) as { layers: { digest: string }[] }).layers
    expect(status?.artifact?.digest).toBe(layer?.digest)
    expect(await setup.files('copied')).toEqual({ 'a.yaml': 'a', 'notes.txt': 'b' })
    // It cannot be made of the files; the bus has it for whoever is asked.
    const path = status?.artifact?.path ?? ''
    await rm(join(setup.service.storage, 'archives', path))
    expect(await digestServed(path)).toBe(layer?.digest)
    await setup.patchSpec('copied', { layerSelector: { operation: 'extract' } })
    await setup.until('copied', 'is made anew', (object) => object.status?.artifact?.digest !== layer?.digest)
    expect(await setup.files('copied')).toEqual({ 'a.yaml': 'a' })
  })

  test('a deleted OCIRepository takes its archive with it', async () => {
    await push('team/gone', 'latest', { 'a.yaml': 'a' })
    await setup.create('gone', { url: urlOf('team/gone') })
    const path = (await setup.untilReady('gone', 'True')).status?.artifact?.path
    const gvk = { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'OCIRepository' }
    await setup.kube.delete(gvk, { namespace: setup.namespace, name: 'gone' })
    await expect.poll(async () => (await setup.message('gone'))?.revision, { timeout: 20_000 }).toBe('')
    const served = async () => (await fetch(`${setup.service.archives}/${path}`)).status
    await expect.poll(served, { timeout: 20_000 }).toBe(404)
  })
})

test('after a restart, and after NATS lost its store, the artifact is there without a fetch', async () => {
  await push('team/kept', 'latest', { 'a.yaml': 'kept' })
  await setup.create('kept', { url: urlOf('team/kept') })
  const { status } = await setup.untilReady('kept', 'True')
  await setup.service.child.stop()
  await setup.service.start()
  expect((await setup.request('kept')).status?.artifact).toEqual(status?.artifact)
  await setup.nats.restart({ wipe: true })
  await expect
    .poll(() => setup.files('kept').catch(() => undefined), { timeout: 20_000 })
    .toEqual({ 'a.yaml': 'kept' })
  expect(await setup.metric('setpoint_source_fetches_total', { kind: 'OCIRepository' })).toBe(0)
})

describe('the way to the registry', () => {
  const dockerConfig = (host: string, password: string = REGISTRY_USER.password) =>
    JSON.stringify({ auths: { [host]: { ...REGISTRY_USER, password } } })

  test.each(['basic', 'token'] as const)(
    '%s authentication, by secretRef and by a ServiceAccount',
    async (auth) => {
      await using guarded = await startRegistry({ auth })
      const layer = { mediaType: CONTENT, content: await tarGz({ name: 'a.yaml', content: 'a' }) }
      await guarded.pushLayers('team/app', 'latest', [layer])
      const url = `oci://${guarded.host}/team/app`
      await setup.createSecret(`pull-${auth}`, { '.dockerconfigjson': dockerConfig(guarded.host) })
      await setup.createSecret(`wrong-${auth}`, {
        '.dockerconfigjson': dockerConfig(guarded.host, 'hunter2'),
      })
      await setup.create(`wrong-${auth}`, { url, secretRef: { name: `wrong-${auth}` } })
      const refused = await setup.untilReady(`wrong-${auth}`, 'False', 'AuthenticationFailed')
      expect(JSON.stringify(refused) + setup.service.child.logs()).not.toContain('hunter2')
      await setup.create(`by-secret-${auth}`, { url, secretRef: { name: `pull-${auth}` } })
      await setup.untilReady(`by-secret-${auth}`, 'True')
      await setup.kube.create({
        ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
        metadata: { namespace: setup.namespace, name: `puller-${auth}` },
        imagePullSecrets: [{ name: `pull-${auth}` }],
      })
      await setup.create(`by-account-${auth}`, { url, serviceAccountName: `puller-${auth}` })
      await setup.untilReady(`by-account-${auth}`, 'True')
    },
  )

  test('a private authority, a client certificate and a proxy', async () => {
    await using tls = await startRegistry({ clientCertificates: true })
    await using proxy = await startProxy({ kind: 'http' })
    const layer = { mediaType: CONTENT, content: await tarGz({ name: 'a.yaml', content: 'a' }) }
    await tls.pushLayers('team/app', 'latest', [layer])
    const { cert = '', key = '' } = tls.client ?? {}
    await setup.createSecret('tls', { 'ca.crt': tls.caPem ?? '', 'tls.crt': cert, 'tls.key': key })
    await setup.createSecret('proxy', { address: proxy.address })
    const spec = { url: `oci://${tls.host}/team/app`, insecure: false }
    await setup.create('untrusted', spec)
    await setup.untilReady('untrusted', 'False', 'OCIArtifactPullFailed')
    await setup.create('tls', { ...spec, certSecretRef: { name: 'tls' }, proxySecretRef: { name: 'proxy' } })
    await setup.untilReady('tls', 'True')
    expect(proxy.targets).toContain(tls.host)
  })

  test('a registry that is away: the artifact stays, and the way back is found', async () => {
    await using own = await startRegistry()
    const layer = { mediaType: CONTENT, content: await tarGz({ name: 'a.yaml', content: 'a' }) }
    await own.pushLayers('team/app', 'latest', [layer])
    await setup.create('away', { url: `oci://${own.host}/team/app`, interval: '1s' })
    await setup.untilReady('away', 'True')
    await own.kill()
    const away = await setup.untilReady('away', 'False', 'OCIArtifactPullFailed')
    expect(conditionOf(away, 'FetchFailed')?.status).toBe('True')
    expect(away.status?.artifact).toBeDefined()
    await own.restart()
    await setup.untilReady('away', 'True')
  })
})

async function digestServed(path: string): Promise<string> {
  const answer = await fetch(`${setup.service.archives}/${path}`)
  return `sha256:${createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex')}`
}
