import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ArtifactMessage,
  artifactMessage,
  GIT_REPOSITORY,
  type GitRepository,
  subjects,
} from '@setpoint/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readyMessage, type Setup, startSetup } from './harness.ts'

/** The service starts on what an earlier version, or nobody, has left on its disk and on the bus. */

const ARTIFACTS = 'setpoint-artifact'

interface Place {
  setup: Setup
  good: GitRepository
  /** Of the one source. */
  directory: string
  storage: string
}

type Damage = (place: Place) => Promise<unknown>

const state =
  (change: (text: string) => string): Damage =>
  async ({ directory }) => {
    const path = join(directory, 'state.json')
    await writeFile(path, change(await readFile(path, 'utf8')))
  }
const fields = (change: Record<string, unknown>): Damage =>
  state((text) => JSON.stringify({ ...JSON.parse(text), ...change }))
const file =
  (name: string, content: string | Uint8Array): Damage =>
  async ({ directory }) =>
    writeFile(join(directory, name), content)
const everyFileOf =
  (directory: string, act: (path: string) => Promise<unknown>): Damage =>
  async ({ storage }) => {
    const found = await readdir(join(storage, directory), { recursive: true, withFileTypes: true })
    for (const entry of found) if (entry.isFile()) await act(join(entry.parentPath, entry.name))
  }
const halve = (path: string) => truncate(path, 20)

/** Deletes or replaces what the bus holds of artifacts. */
const stored =
  (prefix: string, content: Uint8Array | undefined): Damage =>
  async ({ setup }) => {
    for (const name of await setup.bus.bytes.names(ARTIFACTS)) {
      if (!name.startsWith(prefix)) continue
      await setup.bus.bytes.delete(ARTIFACTS, name)
      if (content !== undefined) await setup.bus.bytes.put(ARTIFACTS, name, content)
    }
  }
const JUNK = Buffer.from('{"format":7,"tree":{}}')

const subjectOf = ({ namespace }: Setup, { metadata: { name } }: GitRepository) =>
  subjects.artifact({ kind: 'GitRepository', namespace, name })

const all =
  (...damages: Damage[]): Damage =>
  async (place) => {
    for (const damage of damages) await damage(place)
  }

const damages: [string, Damage][] = [
  ['a state of an earlier format', fields({ format: 1 })],
  ['a state of a format to come', fields({ format: 99, tree: { of: 'another kind' } })],
  ['half a state', state((text) => text.slice(0, text.length / 2))],
  ['an empty state', state(() => '')],
  ['a state that is no JSON', file('state.json', crypto.getRandomValues(new Uint8Array(4_096)))],
  ['a state that names no tree', fields({ tree: {} })],
  ['a state whose tree is junk', fields({ tree: { snapshot: { digest: 5 }, delta: { inline: 'x' } } })],
  ['a state whose archive is junk', fields({ archive: { path: 7 } })],
  ['a state whose archive is elsewhere', fields({ archive: { path: '../../x', digest: '', revision: '' } })],
  ['half a snapshot', ({ directory }) => halve(join(directory, 'snapshot'))],
  ['half a list of contents', ({ directory }) => halve(join(directory, 'blobs'))],
  ['a list of contents that is junk', file('blobs', 'junk')],
  ['half packs of the repository', everyFileOf('repositories', (path) => halve(path))],
  ['half packs of contents', everyFileOf('packs', halve)],
  ['half archives', everyFileOf('archives', halve)],
  ['no file at all', ({ storage }) => rm(storage, { recursive: true })],
  [
    'files and directories that nobody knows',
    async ({ storage, directory }) => {
      for (const parent of [
        storage,
        directory,
        ...['repositories', 'packs', 'archives'].map((d) => join(storage, d)),
      ]) {
        await mkdir(join(parent, 'lost+found', 'deep'), { recursive: true })
        await writeFile(join(parent, '.junk.swp'), 'junk')
      }
    },
  ],
  ['a bus that lost the records', all(fields({ format: 1 }), stored('revision/', undefined))],
  ['junk for records on the bus', all(fields({ format: 1 }), stored('revision/', JUNK))],
  ['junk for snapshots on the bus', all(fields({ format: 1 }), stored('tree/', JUNK))],
  [
    'junk for packs on the bus, and none here',
    all(
      stored('pack/', JUNK),
      everyFileOf('packs', (path) => rm(path)),
    ),
  ],
  [
    'a message of a format to come',
    all(fields({ format: 1 }), async ({ setup, good }) => {
      const junk = { kind: 'Other' } as unknown as ArtifactMessage
      await setup.bus.publish(artifactMessage, subjectOf(setup, good), junk, { traceId: 'junk' })
    }),
  ],
]

let setup: Setup
beforeAll(async () => {
  setup = await startSetup()
})
afterAll(() => setup[Symbol.asyncDispose]())

test.each(damages)(
  '%s: it is fetched anew, the artifact stays, the next commit goes through',
  async (_what, damage) => {
    const name = `old-${crypto.randomUUID()}`
    const repo = await setup.git.create(name)
    await repo.commit({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })
    await setup.create(name, { url: repo.url, interval: '1h' })
    const good = await setup.untilReady(name, 'True')
    const trees: unknown[] = []
    const heard = setup.bus.consume({
      type: artifactMessage,
      filter: subjectOf(setup, good),
      onMessage: ({ envelope }) => trees.push(envelope.data.tree),
    })
    const { storage } = setup.service
    await setup.service.child.kill()
    await damage({ setup, good, storage, directory: join(storage, 'repositories', good.metadata.uid ?? '') })
    await setup.service.start()
    await setup.request(name)
    await setup.untilReady(name, 'True')
    await setup.expectKept(good)
    const sha = await repo.commit({ 'a.yaml': 'a: 2\n' })
    setup.hint(name)
    await setup.untilCommit(name, sha)
    expect(await setup.files(name)).toEqual({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 1\n' })
    await heard.stop()
    expect(trees).not.toContain(undefined)
    await setup.kube.delete(GIT_REPOSITORY, { namespace: setup.namespace, name })
  },
)

test('what nobody thought of is told, without its text, and goes by itself', async () => {
  const repo = await setup.git.create('surprised')
  await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create('surprised', { url: repo.url, interval: '1s' })
  const good = await setup.untilReady('surprised', 'True')
  const state = join(setup.service.storage, 'repositories', good.metadata.uid ?? '', 'state.json')
  await setup.service.child.kill()
  await rm(state)
  await mkdir(join(state, 'deep'), { recursive: true })
  await setup.service.start()
  const failed = await setup.untilReady('surprised', 'False', 'Failed')
  expect(readyMessage(failed)).toContain('the source service failed in an unexpected way')
  expect(readyMessage(failed)).not.toContain('EISDIR')
  await setup.expectKept(good)
  await rm(state, { recursive: true })
  await setup.untilReady('surprised', 'True')
})
