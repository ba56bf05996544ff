import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { decodePack } from '@setpoint/artifact'
import { formatRollback, type GitRepository, KUSTOMIZATION, ROLLBACK_ANNOTATION } from '@setpoint/contracts'
import { type GitRepo, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Setup, startSetup } from './harness.ts'

/** What is stored of artifacts, and for how long. */

const ARTIFACTS = 'setpoint-artifact'

let setup: Setup
beforeAll(async () => {
  setup = await startSetup({
    args: [
      '--sweep-interval-seconds=1',
      '--artifact-retention-records=1',
      '--artifact-retention-ttl-seconds=0',
    ],
  })
})
afterAll(() => setup[Symbol.asyncDispose]())

test('a content is stored once, whatever the number of revisions, branches and GitRepositories that hold it', async () => {
  // Nothing is swept up here: what is stored for longer than some sweeps take is stored anew, to be safe from them.
  await using setup = await startSetup()
  const repo = await setup.git.create('shared')
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`apps/${n}.yaml`, noise()]))
  await repo.commit(files)
  await setup.create('main', { url: repo.url })
  await setup.untilReady('main', 'True')
  const before = await published(setup)
  await repo.commit({ ...files, 'apps/1.yaml': 'another: 1\n' }, { branch: 'release' })
  await setup.create('release', { url: repo.url, ref: { branch: 'release' } })
  await setup.create('again', { url: repo.url, ignore: 'nothing-like-this' })
  await setup.untilReady('release', 'True')
  await setup.untilReady('again', 'True')
  const moved = { 'apps/1.yaml': null, 'copies/1.yaml': files['apps/1.yaml'] ?? '' }
  const last = await repo.commit({ ...moved, 'large.bin': noise(), 'larger.bin': noise() })
  for (const name of ['main', 'again']) setup.hint(name)
  for (const name of ['main', 'again']) await setup.untilCommit(name, last)
  const contents = await storedContents(setup)
  expect(new Set(contents).size).toBe(contents.length)
  expect((await published(setup)) - before).toBeLessThan(3 * noise().length)
  const read = await setup.files('release')
  expect(read['apps/1.yaml']).toBe('another: 1\n')
  expect(Object.keys(read).filter((path) => read[path] !== files[path])).toEqual(['apps/1.yaml'])
})

test('an archive of any stored revision comes back byte for byte, also the one that was not fetched lately', async () => {
  const { repo, first } = await holdsTo('kept')
  const archive = await bytesOf(first.status?.artifact?.url)
  const second = await repo.commit({ 'a.yaml': noise() })
  setup.hint('kept')
  const { status } = await setup.untilCommit('kept', second)
  const newest = await bytesOf(status?.artifact?.url)
  await setup.service.child.kill()
  await rm(setup.service.storage, { recursive: true })
  await setup.service.start()
  await setup.request('kept')
  expect(archive.equals(await bytesOf(first.status?.artifact?.url))).toBe(true)
  expect(newest.equals(await bytesOf(status?.artifact?.url))).toBe(true)
})

test('what a Kustomization has applied is kept, and of the others what the flags say', async () => {
  const { repo, first } = await holdsTo('swept')
  const urls = [first.status?.artifact?.url]
  for (const content of [noise(), noise()]) {
    const sha = await repo.commit({ 'a.yaml': content })
    setup.hint('swept')
    urls.push((await setup.untilCommit('swept', sha)).status?.artifact?.url)
  }
  const revisions = async () =>
    (await setup.bus.bytes.names(ARTIFACTS)).filter((name) => name.includes(first.metadata.uid ?? '')).length
  await waitFor('the revision in between is swept up', async () => (await revisions()) === 2)
  await rm(join(setup.service.storage, 'archives'), { recursive: true })
  const answers = await Promise.all(urls.map(async (url) => (await fetch(url ?? '')).status))
  expect(answers).toEqual([200, 404, 200])
  const packs = async () =>
    (await setup.bus.bytes.names(ARTIFACTS)).filter((name) => name.startsWith('pack/')).length
  const before = await packs()
  await setup.kube.delete(KUSTOMIZATION, { namespace: setup.namespace, name: 'swept' })
  await waitFor('the first one is swept up', async () => (await revisions()) === 1)
  await waitFor('and with it what only that one needed', async () => (await packs()) < before)
  expect((await fetch(urls[2] ?? '')).status).toBe(200)
})

test('what a Kustomization is pinned to is kept, although it is at something else', async () => {
  const { repo, first } = await holdsTo('pinned')
  const place = { namespace: setup.namespace, name: 'pinned' }
  const revision = first.status?.artifact?.revision ?? ''
  const digest = `sha256:${'0'.repeat(64)}`
  const annotations = {
    [ROLLBACK_ANNOTATION]: formatRollback({ revision, digest, insteadOf: digest }),
  }
  await setup.kube.mergePatch(KUSTOMIZATION, place, { metadata: { annotations } })
  for (const content of [noise(), noise()]) {
    const sha = await repo.commit({ 'a.yaml': content })
    setup.hint('pinned')
    const { status } = await setup.untilCommit('pinned', sha)
    const lastAppliedRevision = status?.artifact?.revision
    await setup.kube.mergePatch(
      KUSTOMIZATION,
      place,
      { status: { lastAppliedRevision } },
      { subresource: 'status' },
    )
  }
  const revisions = async () =>
    (await setup.bus.bytes.names(ARTIFACTS)).filter((name) => name.includes(first.metadata.uid ?? '')).length
  await waitFor('the revision in between is swept up', async () => (await revisions()) === 2)
  await rm(join(setup.service.storage, 'archives'), { recursive: true })
  await bytesOf(first.status?.artifact?.url)
})

test.each([
  '/gitrepository/..%2f..%2f..%2fetc/passwd/x.tar.gz',
  '/gitrepository/a/b/..%2f..%2f..%2f..%2fetc%2fpasswd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/gitrepository/a/b/%00.tar.gz',
  '/packs/a/b/x',
])('%s leads to no file', async (path) => {
  const { hostname, port } = new URL(setup.service.archives)
  const asked = request({ hostname, port, path }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(404)
  answer.destroy()
})

/** A GitRepository, and a Kustomization that has applied its first commit. */
async function holdsTo(name: string): Promise<{ repo: GitRepo; first: GitRepository }> {
  const repo = await setup.git.create(name)
  await repo.commit({ 'a.yaml': noise(), 'b.yaml': 'b: 1\n' })
  await setup.create(name, { url: repo.url })
  const first = await setup.untilReady(name, 'True')
  const metadata = { namespace: setup.namespace, name }
  await setup.kube.create({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata,
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name } },
  })
  const status = { lastAppliedRevision: first.status?.artifact?.revision }
  await setup.kube.mergePatch(KUSTOMIZATION, metadata, { status }, { subresource: 'status' })
  return { repo, first }
}

async function storedContents(setup: Setup): Promise<string[]> {
  const names = (await setup.bus.bytes.names(ARTIFACTS)).filter((name) => name.startsWith('pack/'))
  const packs = await Promise.all(
    names.map(async (name) => {
      const stored = await setup.bus.bytes.find(ARTIFACTS, name)
      if (stored === undefined) throw new Error(`${name} is gone`)
      return decodePack(await setup.bus.bytes.get(ARTIFACTS, stored))
    }),
  )
  return packs.flatMap((pack) => [...pack.keys()])
}

const published = (setup: Setup) => setup.metric('setpoint_bus_published_bytes_total')

async function bytesOf(url = ''): Promise<Buffer> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

function noise(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(45_000))).toString('base64')
}
