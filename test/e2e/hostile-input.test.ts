import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitRawTree, type GitRepo } from '@setpoint/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import { configMapYaml } from './manifests.ts'

/** Whatever a repository, its server or a disk hold: what a good commit has put into the cluster stays there. */

const APP = { v: 'good' }
let set: WholeSet
let fleet: GitRepo
let good: string

beforeAll(async () => {
  set = await startWholeSet()
  fleet = await set.createFleet('fleet', { 'app/app.yaml': configMapYaml('app', APP) })
  await set.applyKustomization('app', { retryInterval: '10m' })
  await set.waitReady('Kustomization', 'app')
  good = await fleet.head()
}, START_TIMEOUT_MS)
afterAll(() => set?.[Symbol.asyncDispose]())

/** The next row starts from the good commit, which is followed as any other. */
afterEach(async () => {
  await fleet.setRef('refs/heads/main', good)
  await set.hint()
  await set.waitReady('GitRepository', 'fleet', good)
  await set.waitReady('Kustomization', 'app', good)
})

async function expectUntouched(): Promise<void> {
  await set.waitIdle()
  expect(await set.configMap('app')).toEqual(APP)
  const { status } = await set.kustomization('app')
  expect(status?.lastAppliedRevision).toBe(`main@sha1:${good}`)
  expect(status?.inventory?.entries).toHaveLength(1)
}

test.each<[string, string, () => Promise<unknown>]>([
  ['a tree that leaves the repository', 'IllegalPath', () => commitRawTree(fleet, [{ name: '..' }])],
  ['a tree with a .git', 'IllegalPath', () => commitRawTree(fleet, [{ name: '.GIT', mode: '40000' }])],
  [
    'a branch that is gone',
    'GitOperationFailed',
    async () => {
      await fleet.setRef('refs/heads/other', good)
      await fleet.deleteRef('refs/heads/main')
    },
  ],
])('%s: the source says so, and nothing is applied or pruned', async (_what, reason, spoil) => {
  await spoil()
  await set.hint()
  await set.waitNotReady('GitRepository', 'fleet', reason)
  await expectUntouched()
})

const kustomization = (text: string) => ({ 'app/kustomization.yaml': text })

test.each<[string, Parameters<GitRepo['commit']>[0], string, string?]>([
  [
    'a base outside of the repository',
    kustomization('resources: [../../../etc]\n'),
    'lies outside of the file tree',
  ],
  ['a remote base', kustomization('resources: ["https://example.com/base?ref=main"]\n'), 'example.com'],
  [
    'a symlink out of the repository',
    { 'app/out.yaml': { symlink: '/etc/passwd' }, ...kustomization('resources: [app.yaml, out.yaml]\n') },
    'out.yaml',
  ],
  ['no directory any more', { 'app/app.yaml': null }, 'is not a directory of the source', 'ArtifactFailed'],
  [
    'a YAML bomb',
    {
      'app/bomb.yaml': `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from(
        { length: 12 },
        (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(', ')}]\n`,
      ).join('')}`,
    },
    'bomb.yaml',
  ],
])(
  'a commit with %s: the Kustomization says so, and nothing is pruned',
  async (_what, files, message, reason = 'BuildFailed') => {
    await fleet.commit(files)
    await set.hint()
    expect(await set.waitNotReady('Kustomization', 'app', reason)).toContain(message)
    await expectUntouched()
  },
)

test('a commit that declares nothing any more: what it would delete waits for approval', async () => {
  const empty = await fleet.commit(kustomization('resources: []\n'))
  await set.hint()
  await set.waitReady('Kustomization', 'app', empty)
  await set.waitIdle()
  expect(await set.configMap('app')).toEqual(APP)
})

test('a source service that starts on junk in place of its state fetches anew, and nothing is pruned', async () => {
  await set.services.source.kill()
  for (const directory of ['repositories', 'packs', 'archives'])
    for (const name of await readdir(join(set.storage, directory)))
      await rm(join(set.storage, directory, name), { recursive: true })
  await mkdir(join(set.storage, 'repositories', 'lost+found'), { recursive: true })
  await writeFile(join(set.storage, 'repositories', '.swp'), 'junk')
  const { metadata } = await set.gitRepository('fleet')
  await mkdir(join(set.storage, 'repositories', metadata.uid ?? ''), { recursive: true })
  await writeFile(join(set.storage, 'repositories', metadata.uid ?? '', 'state.json'), '{"format":1,"half')
  await set.services.source.start()
  await set.request('GitRepository', 'fleet')
  await set.waitReady('GitRepository', 'fleet', good)
  await expectUntouched()
})
