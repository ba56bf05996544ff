import { digestOf } from '@setpoint/artifact'
import { artifactMessage, subjects } from '@setpoint/contracts'
import { ownerOf } from '@setpoint/membership'
import { type GitRepo, waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { type Service, type Setup, startSetup } from './harness.ts'

test('one that stood still while another published a commit says nothing older when it takes its work back', async () => {
  await using setup = await startSetup({ replica: 'one', args: ['--lease-duration-seconds=2'] })
  const two = await setup.startReplica('two')
  const name = nameOwnedBy('one', setup)
  const repo = await setup.git.create(name)
  const first = await repo.commit({ 'a.yaml': 'a: 1\n' })
  await setup.create(name, { url: repo.url })
  await setup.untilCommit(name, first)
  const said = await record(setup, name)
  const runs = await finished(setup.service)

  process.kill(setup.service.child.pid, 'SIGSTOP')
  await waitFor('the other took over', () => two.logs().includes('"objects":1,"msg":"took over"'))
  const second = await repo.commit({ 'a.yaml': 'a: 2\n' })
  setup.hint(name)
  await setup.untilCommit(name, second)
  process.kill(setup.service.child.pid, 'SIGCONT')
  await waitFor('it is at work again', async () => (await finished(setup.service)) > runs)
  // Each says it with its own address.
  expect([...new Set(said)]).toEqual([`main@sha1:${first}`, `main@sha1:${second}`])
  expect(said.at(-1)).toBe(`main@sha1:${second}`)
})

test('two of them serve the same archives byte for byte, also after one was killed and has come back', async () => {
  await using setup = await startSetup({ replica: 'one', args: ['--lease-duration-seconds=2'] })
  const two = await setup.startReplica('two')
  const names = ['one', 'two'].map((owner) => nameOwnedBy(owner, setup))
  const commitToAll = async (content: string) => {
    for (const name of names) {
      const repo = repos.get(name) ?? (await setup.git.create(name))
      repos.set(name, repo)
      const sha = await repo.commit({ 'a.yaml': content, 'deep/b.sh': { executable: content } })
      if (content === 'a: 1\n') await setup.create(name, { url: repo.url })
      else setup.hint(name)
      await setup.untilCommit(name, sha)
    }
  }
  const repos = new Map<string, GitRepo>()
  await commitToAll('a: 1\n')
  await expectSameArchives(setup, names, [setup.service, two])

  await setup.service.kill()
  await commitToAll('a: 2\n')
  await setup.service.start()
  await expectSameArchives(setup, names, [setup.service, two])
})

/** What status names, from every replica. */
async function expectSameArchives(setup: Setup, names: string[], replicas: Service[]): Promise<void> {
  for (const name of names) {
    const { artifact } = (await setup.get(name)).status ?? {}
    for (const { archives } of replicas) {
      const response = await fetch(`${archives}/${artifact?.path}`)
      expect(response.status).toBe(200)
      expect(digestOf(new Uint8Array(await response.arrayBuffer()))).toBe(artifact?.digest)
    }
  }
}

function nameOwnedBy(replica: string, { namespace }: Setup): string {
  const names = Array.from({ length: 100 }, (_, index) => `fleet-${index}`)
  const name = names.find((one) => ownerOf(`${namespace}/${one}`, ['one', 'two']) === replica)
  if (name === undefined) throw new Error(`no name belongs to ${replica}`)
  return name
}

/** Every revision that is said of a repository, from the present one on. */
async function record({ bus, namespace }: Setup, name: string): Promise<string[]> {
  const said: string[] = []
  const consumption = bus.consume({
    type: artifactMessage,
    filter: subjects.artifact({ kind: 'GitRepository', namespace, name }),
    onMessage: ({ envelope }) => said.push(envelope.data.revision),
  })
  await consumption.caughtUp
  return said
}

const finished = (replica: { metric: Setup['metric'] }) =>
  replica.metric('workqueue_finished_total', { name: 'gitrepository' })
