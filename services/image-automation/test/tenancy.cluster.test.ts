import { type JumpingClock, jumpingClock, testNamespace, waitFor } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUTHOR, type Setup, startSetup } from './harness.ts'

/** A service with --no-cross-namespace-refs, whose wall clock can be set. */

const stack = new AsyncDisposableStack()
let setup: Setup
let clock: JumpingClock
beforeAll(async () => {
  clock = stack.use(await jumpingClock())
  setup = stack.use(await startSetup({ args: ['--no-cross-namespace-refs=true'], nodeArgs: clock.nodeArgs }))
})
afterAll(() => stack.disposeAsync())

const KIND = 'ImageUpdateAutomation'

describe('with --no-cross-namespace-refs', () => {
  it('a policy and an automation of another namespace are refused, whatever accessFrom says; nothing is pushed', async () => {
    const { name: namespace } = stack.use(await testNamespace({ kubectl: setup.kubectl }))
    await setup.registry.push('team/lent', '1.0.0')
    const repo = await setup.circle('lent', {
      repository: { accessFrom: { namespaceSelectors: [{}] } },
      automation: { suspend: true },
    })
    await setup.untilReady('ImagePolicy', 'lent', 'True')
    const of = { namespace, name: 'borrower' }
    const create = (kind: string, spec: object) =>
      setup.kube.create({
        apiVersion: 'image.toolkit.fluxcd.io/v1',
        kind,
        metadata: { ...of, labels: setup.labels },
        spec,
      })
    await create('ImagePolicy', {
      imageRepositoryRef: { name: 'lent', namespace: setup.namespace },
      policy: { semver: { range: '*' } },
    })
    await create(KIND, {
      sourceRef: { kind: 'GitRepository', name: 'lent', namespace: setup.namespace },
      interval: '10m',
      git: { commit: { author: AUTHOR } },
    })
    for (const kind of ['ImagePolicy', KIND] as const) {
      await waitFor(
        `the ${kind} is refused`,
        async () => (await setup.readyReason(kind, of)) === 'AccessDenied',
      )
      expect(await setup.readyMessage(kind, of)).toContain('--no-cross-namespace-refs forbids')
    }
    expect(await setup.commits(repo)).toBe(1)
  })
})

describe('the wall clock', () => {
  const DAY = 86_400_000

  it('goes back by two days and returns: new tags are still found at the interval, and each is one commit', async () => {
    await setup.registry.push('team/clock', '1.0.0')
    const repo = await setup.circle('clock', { repository: { interval: '1s' } })
    const has = (tag: string) =>
      waitFor(`Git has ${tag}`, async () => (await setup.file(repo, 'app.yaml')).includes(`:${tag} #`))
    await has('1.0.0')
    await clock.set(-2 * DAY)
    await setup.registry.push('team/clock', '1.1.0')
    await has('1.1.0')
    await setup.request(KIND, 'clock')
    await clock.set(0)
    await setup.registry.push('team/clock', '1.2.0')
    await has('1.2.0')
    await setup.request(KIND, 'clock')
    await setup.untilReady(KIND, 'clock', 'True')
    expect(await setup.commits(repo)).toBe(4)
    expect((await fetch(`${setup.service.url}/healthz`)).status).toBe(200)
  })
})
