import { freePort } from '@setpoint/testkit'
import { services } from './services.ts'

export interface Ports {
  /** /healthz, /readyz and /metrics, by service. */
  http: Record<string, number>
  /** Where source serves artifacts. */
  artifact: number
  nats: number
}

/** From the base port upwards: one for each service, the artifacts, NATS. Without a base port, free ones. */
export async function choosePorts(base: number | undefined): Promise<Ports> {
  const ports: number[] = []
  for (let index = 0; index < services.length + 2; index++)
    ports.push(base === undefined ? await freePort() : base + index)
  return {
    http: Object.fromEntries(services.map(({ name }, index) => [name, ports[index] ?? 0])),
    artifact: ports[services.length] ?? 0,
    nats: ports[services.length + 1] ?? 0,
  }
}
