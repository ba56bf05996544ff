import type { KubeObject } from '@setpoint/manifest'
import type { Cluster } from './neighbours.ts'

/** Where the fleet is. */
export const NAMESPACE = 'bench'

/** What is measured: processes that hold a cluster to Git. */
export interface System {
  /** For people. */
  title: string
  processes: readonly { name: string; pid: number }[]
  /** Whether it sees and undoes an edit by itself; else at the interval, or when a check is asked for. */
  watchesDrift: boolean
  /** Tells it that there is a commit. */
  hint(): Promise<void>
  /** Asks for a full check of one Kustomization. */
  check(name: string): Promise<void>
  /** Runs over Kustomizations that ended. */
  checksDone(): Promise<number>
  /** Bytes that its processes have put on a bus so far. */
  busBytes(): Promise<number>
}

/** Starts a system against a cluster, its CRDs included; it is stopped with the stack. */
export type StartSystem = (
  stack: AsyncDisposableStack,
  parts: { cluster: Cluster; writer: BenchWriter },
) => Promise<System>

/** The bench's own writes, counted by verb, so that they can be taken off the API server's count. */
export interface BenchWriter {
  readonly counts: Readonly<Record<string, number>>
  create(object: KubeObject): Promise<void>
  /** A merge patch of an object of the fleet. */
  patch(gvk: { group: string; version: string; kind: string }, name: string, patch: object): Promise<void>
}

export function benchWriter({ kube }: Cluster): BenchWriter {
  const counts: Record<string, number> = {}
  const count = (verb: string) => {
    counts[verb] = (counts[verb] ?? 0) + 1
  }
  return {
    counts,
    async create(object) {
      await kube.create(object)
      count('POST')
    },
    async patch(gvk, name, patch) {
      await kube.mergePatch(gvk, { namespace: NAMESPACE, name }, patch, { fieldManager: 'somebody' })
      count('PATCH')
    },
  }
}
