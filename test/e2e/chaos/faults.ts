import { setTimeout as delay } from 'node:timers/promises'
import { KUSTOMIZATION } from '@setpoint/contracts'
import { NAMESPACE, type WholeSet } from '../harness.ts'
import type { ServiceProcess } from '../service-process.ts'
import type { SeededRandom } from './random.ts'

/** Something that goes wrong, and is over when the promise settles. */
export interface Fault {
  name: string
  strike(set: WholeSet, random: SeededRandom): Promise<void>
}

/** What happens to the services themselves. */
export const serviceFaults: readonly Fault[] = [
  {
    name: 'kill -9 of a service',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      await victim.kill()
      await delay(random.between(0, 5_000))
      await startAgain(victim)
    },
  },
  {
    name: 'a service stops in order',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      await victim.stop()
      await startAgain(victim)
    },
  },
  {
    name: 'a service stands still',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      victim.pause()
      await delay(random.between(500, 9_000))
      victim.resume()
    },
  },
]

/** What happens around them. */
export const neighbourFaults: readonly Fault[] = [
  {
    name: 'kill -9 of NATS',
    strike: async ({ nats }, random) => {
      await nats.kill()
      await delay(random.between(0, 2_000))
      await nats.restart({ wipe: random.next() < 0.5 })
    },
  },
  {
    name: 'the API server restarts',
    strike: async ({ plane }) => {
      await plane.stopApiServer()
      await plane.startApiServer()
    },
  },
  {
    name: 'connections to the API server break',
    strike: async ({ network }, random) => {
      network?.cut()
      await delay(random.next() < 0.7 ? random.between(0, 500) : random.between(1_000, 8_000))
      network?.mend()
    },
  },
  {
    name: 'the API server answers 429',
    strike: async (set, random) => {
      await throttle(set)
      await delay(random.between(1_000, 4_000))
      await endThrottle(set)
    },
  },
  {
    name: 'somebody else writes to Kustomizations, so that status writes conflict',
    strike: async ({ kube }, random) => {
      const names = (await kube.list(KUSTOMIZATION, { namespace: NAMESPACE })).map(
        ({ metadata }) => metadata.name,
      )
      for (let times = 0; times < 100; times += 1) {
        const metadata = { annotations: { 'example.com/touched': String(random.next()) } }
        await kube.mergePatch(KUSTOMIZATION, { namespace: NAMESPACE, name: random.pick(names) }, { metadata })
      }
    },
  },
]

/** A service that finds its neighbours away ends, and is started again by whoever looks after it. */
async function startAgain(service: ServiceProcess): Promise<void> {
  for (;;) {
    try {
      return await service.start()
    } catch {
      await delay(250)
    }
  }
}

const LEVEL = 'setpoint-chaos'

/** One request of the services at a time; any other is refused: the API server's own fairness does it. */
async function throttle({ plane, kube }: WholeSet): Promise<void> {
  const apply = (kind: string, spec: object) =>
    kube.apply(
      { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind, metadata: { name: LEVEL }, spec },
      { fieldManager: 'chaos' },
    )
  await apply('PriorityLevelConfiguration', {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: 0,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: 'Reject' },
    },
  })
  await apply('FlowSchema', {
    matchingPrecedence: 100,
    priorityLevelConfiguration: { name: LEVEL },
    rules: [
      {
        subjects: [{ kind: 'Group', group: { name: 'system:serviceaccounts:setpoint-system' } }],
        resourceRules: [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
        ],
      },
    ],
  })
  await plane.kubectl('get', 'flowschema', LEVEL)
}

async function endThrottle({ kube }: WholeSet): Promise<void> {
  const group = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1' }
  await kube.delete({ ...group, kind: 'FlowSchema' }, { name: LEVEL })
  await kube.delete({ ...group, kind: 'PriorityLevelConfiguration' }, { name: LEVEL })
}
