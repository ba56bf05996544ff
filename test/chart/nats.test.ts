import { type Bus, type BusConnectOptions, type BusError, connectBus, newTraceId } from '@setpoint/bus'
import {
  imageChoiceMessage,
  type MessageType,
  type OutcomeMessage,
  outcomeMessage,
  type RenderedMessage,
  renderedMessage,
  subjects,
} from '@setpoint/contracts'
import { binary, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { find, type Manifest, render } from './helm.ts'
import { type ChartNats, environmentOf, PASSWORDS, startChartNats } from './nats-server.ts'

/** The chart's NATS configuration on a real nats-server: who may say what. */

const stack = new AsyncDisposableStack()
let objects: Manifest[]
let nats: ChartNats

beforeAll(async () => {
  await binary('helm')
  objects = await render({ nats: { replicas: 3 } })
  nats = stack.use(await startChartNats())
}, 600_000)

afterAll(() => stack.disposeAsync())

describe('the configuration', () => {
  it('for three servers makes a cluster that keeps three copies and goes on without one of them', async () => {
    await using servers = await startChartNats(3)
    await using render = await open('kustomize-render', { url: servers.url, replicas: 3 })
    await using apply = await open('apply', { url: servers.url, replicas: 3 })
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    await servers.children[0]?.kill()
    const last = await waitFor('the message from the two that are left', () =>
      apply.last(renderedMessage, subjects.rendered(key)).catch(() => undefined),
    )
    expect(last.data.revision).toBe('main@sha1:abc')
  }, 60_000)

  it('sends each server to the names that the peers have in the cluster', () => {
    const { env } = find(objects, 'StatefulSet', 'setpoint-nats').spec.template.spec.containers[0]
    expect(environmentOf(env).ROUTE_2).toBe(
      '"nats-route://cluster:007@setpoint-nats-2.setpoint-nats-peers.setpoint-system.svc.cluster.local:6222"',
    )
  })

  it('lets nobody in without a password, or with another one’s', async () => {
    await expect(open('source', { password: 'wrong' })).rejects.toThrow('cannot connect to NATS')
    await expect(open('apply', { password: 'plain' })).rejects.toThrow('cannot connect to NATS')
  })
})

describe('a service', () => {
  it('makes the streams, and each may say its own messages', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    await publish(apply, outcomeMessage, subjects.outcome(key), outcome)
    const last = await apply.last(renderedMessage, subjects.rendered(key))
    expect(last?.data.revision).toBe('main@sha1:abc')
  })

  it('of images tells what it chose and takes it back, and asks other replicas; nobody else says so', async () => {
    await using images = await open('image-automation')
    await using apply = await open('apply')
    const choice = { ...key, uid: '1', image: { name: 'ghcr.io/team/web', tag: '1.0.0' } }
    const subject = subjects.image('choice', key)
    await publish(images, imageChoiceMessage, subject, choice)
    await expectRefused(publish(apply, imageChoiceMessage, subject, choice))
    expect((await apply.last(imageChoiceMessage, subject))?.data).toEqual(choice)
    await images.forget(subject)
    expect(await apply.last(imageChoiceMessage, subject)).toBeUndefined()
    const hinted: string[] = []
    apply.onHint('ImageRepository', ({ name }) => void hinted.push(name))
    await waitFor('the hint is there', () => {
      images.hint({ kind: 'ImageRepository', ...key }, { requestedBy: 'image-automation' })
      return hinted.length > 0
    })
  })

  it('reads what it needs as it comes', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    const seen: string[] = []
    const consumption = apply.consume({
      type: renderedMessage,
      filter: subjects.all.rendered,
      onMessage: ({ envelope }) => seen.push(envelope.data.revision),
    })
    await consumption.caughtUp
    expect(seen).toEqual(['main@sha1:abc'])
  })

  it('stores bytes in its own bucket, replaces and deletes them, and others read them', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    const large = new Uint8Array(300 * 1024).fill(7)
    await render.bytes.put('setpoint-rendered', 'set', Uint8Array.of(1))
    const stored = await render.bytes.put('setpoint-rendered', 'set', large)
    expect(await apply.bytes.get('setpoint-rendered', stored)).toHaveLength(large.length)
    await render.bytes.delete('setpoint-rendered', 'set')
    expect(await render.bytes.names('setpoint-rendered')).toEqual([])
  })

  it('cannot speak for another: source says no rendered set, kustomize-render no outcome, apply no set', async () => {
    await using source = await open('source')
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await expectRefused(publish(source, renderedMessage, subjects.rendered(key), rendered))
    await expectRefused(publish(render, outcomeMessage, subjects.outcome(key), outcome))
    await expectRefused(publish(apply, renderedMessage, subjects.rendered(key), rendered))
    expect(nats.children[0]?.logs()).toMatch(/Publish Violation.*setpoint\.outcome\.apps\.web/)
  })

  it('takes back what it said itself, and nothing else', async () => {
    await using render = await open('kustomize-render')
    await using apply = await open('apply')
    await publish(render, renderedMessage, subjects.rendered(key), rendered)
    await expectRefused(apply.forget(subjects.rendered(key)))
    await render.forget(subjects.rendered(key))
    expect(await render.last(renderedMessage, subjects.rendered(key))).toBeUndefined()
  })

  it('cannot put bytes into another one’s bucket', async () => {
    await using apply = await open('apply')
    await expectRefused(apply.bytes.put('setpoint-rendered', 'forged', Uint8Array.of(1)))
  })

  it('parks what it cannot read', async () => {
    await using apply = await open('apply')
    await publish(apply, outcomeMessage, subjects.deadLetter('setpoint.rendered.apps.web'), outcome)
  })
})

const key = { namespace: 'apps', name: 'web' }

const rendered: RenderedMessage = {
  ...key,
  uid: 'u',
  generation: 1,
  requestedAt: '',
  source: { kind: 'GitRepository', namespace: 'apps', name: 'fleet' },
  revision: 'main@sha1:abc',
  problem: { reason: 'BuildFailed', message: 'no such file', stalled: false },
}

const outcome: OutcomeMessage = {
  ...key,
  uid: 'u',
  generation: 1,
  revision: 'main@sha1:abc',
  ready: 'True',
  reason: 'ReconciliationSucceeded',
  message: '',
  inventoryDigest: '',
  timingsMs: {},
}

function open(service: string, options: Partial<BusConnectOptions> = {}): Promise<Bus> {
  const log = { info() {}, warn() {} }
  const password = PASSWORDS[service] ?? ''
  const user = { producer: service, user: service, password }
  return connectBus({ url: nats.url, ...user, log, now: Date.now, connectTimeoutMs: 2_000, ...options })
}

function publish<T>(bus: Bus, type: MessageType<T>, subject: string, data: T): Promise<void> {
  return bus.publish(type, subject, data, { traceId: newTraceId() })
}

async function expectRefused(attempt: Promise<unknown>): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (cause: BusError) => cause,
  )
  expect(error?.message).toMatch(/permission|timeout/i)
}
