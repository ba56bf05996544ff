import { renderedMessage, subjects } from '@setpoint/contracts'
import { ownerOf } from '@setpoint/membership'
import { startTcpProxy, waitFor } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { app, type Files, type Setup, startSetup } from './harness.ts'

const OLD = 'main@sha1:1'
const NEW = 'main@sha1:2'

test('one that did not hear of a commit says nothing older of what it takes over, even when NATS has lost everything', async () => {
  await using setup = await startSetup(['--lease-duration-seconds=2'], { replica: 'one' })
  await using network = await startTcpProxy(Number(new URL(setup.nats.url).port))
  const two = await setup.startReplica('two', `nats://127.0.0.1:${network.port}`)
  const names = [nameOwnedBy('one', setup), nameOwnedBy('two', setup)] as const
  await setup.push(filesOf(names, 'old'), OLD)
  for (const name of names) await setup.create(name)
  for (const name of names) await setup.untilRendered(name, OLD)

  network.cut()
  await setup.push(filesOf(names, 'new'), NEW)
  await setup.untilRendered(names[0], NEW)
  await setup.service.kill()
  await setup.nats.restart({ wipe: true })
  await setup.untilBusIsBack()
  const said = record(setup, names[0])
  network.mend()
  await waitFor('the other took over', () => two.logs().includes('"kustomizations":1,"msg":"took over"'))
  await waitFor('it has no work left', async () => (await two.metric('workqueue_depth')) === 0)
  await setup.pushAgain()
  for (const name of names) await setup.untilRendered(name, NEW)
  expect(said).toEqual([NEW])
})

function nameOwnedBy(replica: string, { namespace }: Setup): string {
  const names = Array.from({ length: 100 }, (_, index) => `app-${index}`)
  const name = names.find((one) => ownerOf(`${namespace}/${one}`, ['one', 'two']) === replica)
  if (name === undefined) throw new Error(`no name belongs to ${replica}`)
  return name
}

function filesOf(names: readonly string[], value: string): Files {
  return Object.assign({}, ...names.map((name) => app(name, value)))
}

/** Every revision that is said of a Kustomization from now on. */
function record({ bus, namespace }: Setup, name: string): string[] {
  const said: string[] = []
  bus.consume({
    type: renderedMessage,
    filter: subjects.rendered({ namespace, name }),
    onMessage: ({ envelope }) => said.push(envelope.data.revision),
  })
  return said
}
