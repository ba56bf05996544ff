import { freePort } from '@setpoint/testkit'
import type { Member } from './members.ts'

export interface Ports {
  /** /healthz, /readyz and /metrics, by member. */
  http: Record<string, number>
  /** Where those that serve artifacts do so, by member. */
  artifacts: Record<string, number>
  nats: number
}

/** From the base port upwards: one for each member, the artifacts, NATS. Without a base port, free ones. */
export async function choosePorts(members: readonly Member[], base: number | undefined): Promise<Ports> {
  let index = 0
  const choose = async () => (base === undefined ? await freePort() : base + index++)
  const chooseFor = async (some: readonly Member[]) => {
    const ports: Record<string, number> = {}
    for (const { name } of some) ports[name] = await choose()
    return ports
  }
  return {
    http: await chooseFor(members),
    artifacts: await chooseFor(members.filter(({ service }) => service.servesArtifacts)),
    nats: await choose(),
  }
}
