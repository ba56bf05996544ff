import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..', '..')

export interface ServiceSettings {
  kubeconfig: string | undefined
  context: string | undefined
  natsUrl: string
  namespace: string
  dataDirectory: string
  logLevel: string
}

/** One service of the set: its module and the flags that only it takes. */
export interface ServiceDescription {
  name: string
  file: string
  flags(settings: ServiceSettings, artifactPort: number): Record<string, string>
}

const sealingKey = ({ namespace }: ServiceSettings) => ({
  'sealing-key-secret': `${namespace}/setpoint-sealing-key`,
})

/** The whole set, in the order in which work flows through it. */
export const services: readonly ServiceDescription[] = [
  {
    name: 'source',
    file: mainOf('source'),
    flags: ({ dataDirectory }, artifactPort) => ({
      'storage-path': join(dataDirectory, 'source'),
      'storage-addr': `127.0.0.1:${artifactPort}`,
      'storage-adv-addr': `127.0.0.1:${artifactPort}`,
    }),
  },
  { name: 'kustomize-render', file: mainOf('kustomize-render'), flags: sealingKey },
  { name: 'apply', file: mainOf('apply'), flags: sealingKey },
  {
    name: 'image-automation',
    file: mainOf('image-automation'),
    flags: ({ dataDirectory }) => ({ 'storage-path': join(dataDirectory, 'image-automation') }),
  },
]

/** The command line of a service, without Node and the module. */
export function serviceArguments(
  service: ServiceDescription,
  settings: ServiceSettings,
  ports: { http: number; artifact: number },
): string[] {
  const flags: Record<string, string | undefined> = {
    kubeconfig: settings.kubeconfig,
    context: settings.context,
    'nats-url': settings.natsUrl,
    'http-addr': `127.0.0.1:${ports.http}`,
    'log-level': settings.logLevel,
    ...service.flags(settings, ports.artifact),
  }
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))
}

function mainOf(name: string): string {
  return join(root, 'services', name, 'src', 'main.ts')
}
