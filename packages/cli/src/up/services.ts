import { join } from 'node:path'
import type { Member } from './members.ts'

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
  servesArtifacts: boolean
  /** member: the name of the process; artifactPort: where it serves artifacts, if it does. */
  flags(settings: ServiceSettings, member: string, artifactPort: number): Record<string, string>
}

const sealingKey = ({ namespace }: ServiceSettings) => ({
  'sealing-key-secret': `${namespace}/setpoint-sealing-key`,
})

/** The whole set, in the order in which work flows through it. */
export const services: readonly ServiceDescription[] = [
  {
    name: 'source',
    file: mainOf('source'),
    servesArtifacts: true,
    flags: ({ dataDirectory }, member, artifactPort) => ({
      'storage-path': join(dataDirectory, member),
      'storage-addr': `127.0.0.1:${artifactPort}`,
      'storage-adv-addr': `127.0.0.1:${artifactPort}`,
    }),
  },
  {
    name: 'kustomize-render',
    file: mainOf('kustomize-render'),
    servesArtifacts: false,
    flags: sealingKey,
  },
  { name: 'apply', file: mainOf('apply'), servesArtifacts: false, flags: sealingKey },
  {
    name: 'image-automation',
    file: mainOf('image-automation'),
    servesArtifacts: false,
    flags: ({ dataDirectory }, member) => ({ 'storage-path': join(dataDirectory, member) }),
  },
]

/** The command line of a process of the set, without Node and the module. */
export function serviceArguments(
  { name: member, service, replica }: Member,
  settings: ServiceSettings,
  ports: { http: number; artifacts: number },
): string[] {
  const flags: Record<string, string | undefined> = {
    kubeconfig: settings.kubeconfig,
    context: settings.context,
    'nats-url': settings.natsUrl,
    'http-addr': `127.0.0.1:${ports.http}`,
    'log-level': settings.logLevel,
    'replica-name': replica,
    'lease-namespace': replica === undefined ? undefined : settings.namespace,
    ...service.flags(settings, member, ports.artifacts),
  }
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))
}

function mainOf(name: string): string {
  return join(root, 'services', name, 'src', 'main.ts')
}
