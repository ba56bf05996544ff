import { type Settings, text, trueOrFalse, wholeNumber } from '@setpoint/service'

const MIB = 1024 * 1024

/** What this service takes besides the settings that all have. */
export const settings = {
  'concurrent-scans': {
    description: 'Registries that are asked at once',
    default: '8',
    parse: wholeNumber(1, 64),
  },
  'concurrent-updates': {
    description: 'Repositories that are written to at once',
    default: '4',
    parse: wholeNumber(1, 64),
  },
  'registry-requests-per-second': {
    description: 'Requests a second to one registry, after a burst of twice as many',
    default: '50',
    parse: wholeNumber(1, 1_000),
  },
  'storage-path': {
    description: 'Directory for copies of repositories; kept, it saves the next start a download',
    default: '/tmp/setpoint-image-automation',
    parse: text,
  },
  'max-fetch-bytes': {
    description: 'Most bytes that one fetch may receive',
    default: String(512 * MIB),
    parse: wholeNumber(1024, 4096 * MIB),
  },
  'allow-link-local': {
    description: 'Allow Git servers on link-local addresses, where clouds hand out credentials',
    default: 'false',
    parse: trueOrFalse,
  },
  'gather-milliseconds': {
    description: 'How long the first new image waits for others, so that they are one commit',
    default: '200',
    parse: wholeNumber(0, 60_000),
  },
  'no-cross-namespace-refs': {
    description: 'Refuse references to objects of other namespaces',
    default: 'false',
    parse: trueOrFalse,
  },
  'object-level-workload-identity': {
    description: 'Objects with a cloud as provider may log in as a ServiceAccount of their namespace',
    default: 'false',
    parse: trueOrFalse,
  },
  'watch-label-selector': {
    description: 'Only objects with these labels, such as sharding.fluxcd.io/key=shard1',
    default: '',
    parse: text,
  },
} as const satisfies Settings
