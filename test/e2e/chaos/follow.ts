import { setTimeout as delay } from 'node:timers/promises'
import { KUSTOMIZATION, type Kustomization } from '@setpoint/contracts'
import { waitFor } from '@setpoint/testkit'
import type { BusyFleet } from '../busy-fleet.ts'
import { conditionOf, NAMESPACE, type WholeSet } from '../harness.ts'
import type { WatchRecord } from '../watch-record.ts'

/**
 * Waits until everything is Ready at the last commit and the cluster is what Git says, for as long as there is progress.
 * @throws Error saying what is missing, when there was none for stuckMs.
 */
export async function followed(
  set: WholeSet,
  fleet: BusyFleet,
  record: WatchRecord,
  stuckMs: number,
): Promise<void> {
  const head = await fleet.repo.head()
  let least = Number.POSITIVE_INFINITY
  let progressAt = performance.now()
  for (;;) {
    const behind = await thoseBehind(set, fleet, head).catch((error) => [String(error)])
    if (behind.length === 0) break
    if (behind.length < least) progressAt = performance.now()
    least = Math.min(least, behind.length)
    if (performance.now() - progressAt > stuckMs)
      throw new Error(`for ${stuckMs / 1_000} s, ${behind.length} are not at ${head}: ${behind[0]}`)
    await set.hint().catch(() => undefined)
    await delay(500)
  }
  const isLast = () => {
    const differing = differences(record.present(), fleet.expected())
    if (differing.length === 0) return true
    throw new Error(differing.slice(0, 10).join('; '))
  }
  await waitFor('the cluster is what Git says', isLast, { timeoutMs: stuckMs })
}

async function thoseBehind(set: WholeSet, fleet: BusyFleet, head: string): Promise<string[]> {
  const found = (await set.kube.list(KUSTOMIZATION, { namespace: NAMESPACE })) as Kustomization[]
  const byName = new Map(found.map((one) => [one.metadata.name, one]))
  return fleet.apps.flatMap((app) => {
    const one = byName.get(app)
    return one !== undefined && isAt(one, head) ? [] : [`${app}: ${JSON.stringify(one?.status)}`]
  })
}

function isAt(one: Kustomization, head: string): boolean {
  const { observedGeneration, lastAppliedRevision = '' } = one.status ?? {}
  return (
    conditionOf(one, 'Ready')?.status === 'True' &&
    observedGeneration === one.metadata.generation &&
    lastAppliedRevision.endsWith(head)
  )
}

type Contents = Record<string, Record<string, string>>

function differences(present: Contents, expected: Contents): string[] {
  const names = new Set([...Object.keys(present), ...Object.keys(expected)])
  return [...names].flatMap((name) => {
    const [is, shouldBe] = [present[name], expected[name]].map((data) => JSON.stringify(data) ?? 'gone')
    return is === shouldBe || !name.startsWith('app-') ? [] : [`${name} is ${is}, not ${shouldBe}`]
  })
}
