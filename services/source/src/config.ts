import { listenAddress, type Settings, text, trueOrFalse, wholeNumber } from '@setpoint/service'

const MIB = 1024 * 1024

/** What this service takes besides the settings that all have. */
export const settings = {
  concurrent: {
    description:
      'Objects of each kind that are worked on at once; one that takes 5 s gives its place to another',
    default: '4',
    parse: wholeNumber(1, 64),
  },
  'storage-path': {
    description:
      'Directory for copies of repositories and archives; kept, it saves the next start a download',
    default: '/tmp/setpoint-source',
    parse: text,
  },
  'storage-addr': {
    description: 'Where archives are served',
    default: ':9090',
    parse: listenAddress,
  },
  'storage-adv-addr': {
    description: 'Host and port that status.artifact.url names; without it the listening address',
    parse: text,
  },
  'artifact-retention-ttl-seconds': {
    description: 'How long a stored revision that is not the newest is kept, and its archive',
    default: '60',
    parse: wholeNumber(0, 86_400),
  },
  'artifact-retention-records': {
    description:
      'How many revisions of a source are kept at least, besides those that a Kustomization holds to',
    default: '2',
    parse: wholeNumber(1, 100),
  },
  'sweep-interval-seconds': {
    description: 'How often stored bytes are swept up that no kept revision needs',
    default: '600',
    parse: wholeNumber(1, 86_400),
  },
  'max-fetch-bytes': {
    description: 'Most bytes that one fetch may receive',
    default: String(512 * MIB),
    parse: wholeNumber(1024, 4096 * MIB),
  },
  'max-artifact-bytes': {
    description: 'Most bytes that the files of an artifact may have together',
    default: String(512 * MIB),
    parse: wholeNumber(1024, 1024 * MIB),
  },
  'max-file-bytes': {
    description: 'Most bytes that one file of an artifact may have',
    default: String(128 * MIB),
    parse: wholeNumber(1024, 1024 * MIB),
  },
  'max-files': {
    description: 'Most files that a commit may have',
    default: '1000000',
    parse: wholeNumber(1, 10_000_000),
  },
  'max-path-depth': {
    description: 'Most directories that may be in each other',
    default: '100',
    parse: wholeNumber(1, 1_000),
  },
  'max-unpacked-bytes': {
    description: 'Most bytes that what one fetch receives may have once it is unpacked',
    default: String(4096 * MIB),
    parse: wholeNumber(1024, 65_536 * MIB),
  },
  'max-object-bytes': {
    description: 'Most bytes that one Git object may have, whether it is in an artifact or not',
    default: String(512 * MIB),
    parse: wholeNumber(1024, 2048 * MIB),
  },
  'max-decompression-ratio': {
    description:
      'Most bytes that one compressed byte of a layer or a Git object may become, once more than 16 MiB come of it',
    default: '500',
    parse: wholeNumber(1, 100_000),
  },
  'max-delta-depth': {
    description: 'Longest chain of deltas that is unpacked',
    default: '4095',
    parse: wholeNumber(1, 100_000),
  },
  'max-redirects': {
    description: 'Most redirects that one request follows; with credentials none leads to another host',
    default: '5',
    parse: wholeNumber(0, 20),
  },
  'max-run-seconds': {
    description: 'Longest time that one look at a source takes, whatever its spec.timeout',
    default: '600',
    parse: wholeNumber(1, 86_400),
  },
  'host-requests-per-second': {
    description: 'Most requests for references that one Git host gets in a second',
    default: '20',
    parse: wholeNumber(1, 10_000),
  },
  'allow-link-local': {
    description: 'Servers may be on link-local addresses (169.254.0.0/16, fe80::/10)',
    default: 'false',
    parse: trueOrFalse,
  },
  'object-level-workload-identity': {
    description: 'Objects with a cloud as provider may log in as a ServiceAccount of their namespace',
    default: 'false',
    parse: trueOrFalse,
  },
  'watch-label-selector': {
    description: 'Only sources with these labels, such as sharding.fluxcd.io/key=shard1',
    default: '',
    parse: text,
  },
} as const satisfies Settings
