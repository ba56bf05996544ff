import { setTimeout as delay } from 'node:timers/promises'
import { KUSTOMIZATION } from '@setpoint/contracts'
import { NAMESPACE, type WholeSet } from '../harness.ts'
import type { ServiceProcess } from '../service-process.ts'
import type { SeededRandom } from './random.ts'

/** Something that goes wrong, and is over when the promise settles. Returns to whom. */
export interface Fault {
  name: string
  strike(set: WholeSet, random: SeededRandom): Promise<string | undefined>
}

/** What happens to the services themselves. */
export const serviceFaults: readonly Fault[] = [
  {
    name: 'kill -9 of a service',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      await victim.kill()
      // Mostly it is back before its Lease has run out, sometimes only after others have done its work.
      await delay(random.next() < 0.7 ? random.between(0, 5_000) : random.between(7_000, 12_000))
      await startAgain(victim)
      return nameOf(victim)
    },
  },
  {
    name: 'kill -9 of every replica of a service',
    strike: async ({ processes }, random) => {
      const { name } = random.pick(processes)
      const victims = processes.filter((one) => one.name === name)
      await Promise.all(victims.map((victim) => victim.kill()))
      await Promise.all(victims.map(startAgain))
      return name
    },
  },
  {
    name: 'a service stops in order',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      await victim.stop()
      await startAgain(victim)
      return nameOf(victim)
    },
  },
  {
    name: 'a service stands still',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      victim.pause()
      await delay(random.between(500, 12_000))
      victim.resume()
      return nameOf(victim)
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
      const wipe = random.next() < 0.5
      await nats.restart({ wipe })
      return wipe ? 'which loses everything' : 'which keeps its store'
    },
  },
  {
    name: 'the API server restarts',
    strike: async ({ plane }) => {
      await plane.stopApiServer()
      await plane.startApiServer()
      return undefined
    },
  },
  {
    name: 'all connections to the API server break',
    strike: async ({ processes }, random) => {
      for (const { networks } of processes) networks?.api.cut()
      await delay(briefly(random))
      for (const { networks } of processes) networks?.api.mend()
      return undefined
    },
  },
  {
    name: 'one service is cut off',
    strike: async ({ processes }, random) => {
      const victim = random.pick(processes)
      const from = random.pick(['api', 'nats'] as const)
      const network = victim.networks?.[from]
      // Frozen, what was on its way arrives when it is mended; by then others may have gone on.
      if (random.next() < 0.5) network?.cut()
      else network?.freeze()
      await delay(random.between(500, 12_000))
      network?.mend()
      return `${nameOf(victim)} from ${from}`
    },
  },
  {
    name: 'the API server answers 429',
    strike: async (set, random) => {
      await throttle(set)
      await delay(random.between(1_000, 4_000))
      await endThrottle(set)
      return undefined
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
      return undefined
    },
  },
]

const nameOf = ({ name, replica }: ServiceProcess): string => replica || name

const briefly = (random: SeededRandom): number =>
  random.next() < 0.7 ? random.between(0, 500) : random.between(1_000, 8_000)

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
