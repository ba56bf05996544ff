import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binary, type Child, freePort, startChild, temporaryDirectory, waitFor } from '@setpoint/testkit'
import { find, type Manifest, render } from './helm.ts'

/**
 * Passwords by NATS user. One starts with a digit and others look like numbers: NATS must still take them as they are.
 */
export const PASSWORDS: Record<string, string> = {
  source: 'plain',
  'kustomize-render': '1abc',
  apply: '1e5',
  'image-automation': '0x10',
  cluster: '007',
}

/** NATS servers that run with the chart's configuration. */
export interface ChartNats extends AsyncDisposable {
  /** All of them, with commas. */
  url: string
  children: Child[]
}

/** Starts one server, or a cluster of several. Only addresses and paths are this machine's. */
export async function startChartNats(size = 1): Promise<ChartNats> {
  const resources = new AsyncDisposableStack()
  const { path } = resources.use(await temporaryDirectory('chart-nats'))
  const objects = await render({ nats: { replicas: size } })
  const config = find(objects, 'ConfigMap', 'setpoint-nats').data['nats.conf']
  const { env } = find(objects, 'StatefulSet', 'setpoint-nats').spec.template.spec.containers[0]
  const ports = await freePorts(size)
  const children: Child[] = []
  for (const [ordinal, place] of ports.entries()) {
    const home = { ...place, path: join(path, String(ordinal)) }
    const name = { POD_NAME: `setpoint-nats-${ordinal}` }
    const child = await startServer(home.path, moved(config, home), {
      ...environmentOf(env),
      ...routesTo(ports),
      ...name,
    })
    resources.defer(() => child.kill())
    children.push(child)
  }
  const ready = size === 1 ? /Server is ready/ : /new (JetStream cluster )?metadata leader/
  await waitFor('NATS is ready', () => children.every((child) => ready.test(child.logs())))
  const url = ports.map(({ port }) => `nats://127.0.0.1:${port}`).join(',')
  return { url, children, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

type Ports = Array<{ port: number; clusterPort: number }>

async function freePorts(size: number): Promise<Ports> {
  const ports: Ports = []
  while (ports.length < size) ports.push({ port: await freePort(), clusterPort: await freePort() })
  return ports
}

/** Where the peers are on this machine, instead of in a cluster. */
function routesTo(ports: Ports): Record<string, string> {
  const routes = ports.map(({ clusterPort }, ordinal) => [
    `ROUTE_${ordinal}`,
    `"nats-route://cluster:${PASSWORDS.cluster}@127.0.0.1:${clusterPort}"`,
  ])
  return Object.fromEntries(routes)
}

/** The variables that Kubernetes would set: `$(NAME)` stands for one that came before. */
export function environmentOf(variables: Array<Manifest & { name: string }>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { name, value, valueFrom } of variables) {
    const text: string = valueFrom?.secretKeyRef
      ? PASSWORDS[valueFrom.secretKeyRef.key]
      : (value ?? 'setpoint-nats-0')
    env[name] = text.replaceAll(/\$\((\w+)\)/g, (_, before: string) => env[before] ?? '')
  }
  return env
}

interface Place {
  path: string
  port: number
  clusterPort?: number
}

/** The configuration with addresses and paths of this machine. */
function moved(config: string, { path, port, clusterPort }: Place): string {
  return config
    .replaceAll('"0.0.0.0:4222"', `"127.0.0.1:${port}"`)
    .replaceAll('"0.0.0.0:6222"', `"127.0.0.1:${clusterPort}"`)
    .replaceAll('http: "0.0.0.0:8222"', '')
    .replaceAll('"/data"', JSON.stringify(join(path, 'data')))
}

async function startServer(path: string, config: string, env: Record<string, string>): Promise<Child> {
  await mkdir(join(path, 'data'), { recursive: true })
  const file = join(path, 'nats.conf')
  await writeFile(file, config)
  return startChild('nats-server', await binary('nats-server'), ['-c', file], { env })
}
