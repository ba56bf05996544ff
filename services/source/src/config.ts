import { listenAddress, type Settings, text, trueOrFalse, wholeNumber } from '@setpoint/service'

const MIB = 1024 * 1024

/** What this service takes besides the settings that all have. */
export const settings = {
  concurrent: {
    description: 'Repositories that are worked on at once',
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
    description: 'How long an archive that is not the newest is kept',
    default: '60',
    parse: wholeNumber(0, 86_400),
  },
  'artifact-retention-records': {
    description: 'How many archives of a repository are kept at least',
    default: '2',
    parse: wholeNumber(1, 100),
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
  'allow-link-local': {
    description: 'Git servers may be on link-local addresses (169.254.0.0/16, fe80::/10)',
    default: 'false',
    parse: trueOrFalse,
  },
  'watch-label-selector': {
    description: 'Only GitRepositories with these labels, such as sharding.fluxcd.io/key=shard1',
    default: '',
    parse: text,
  },
} as const satisfies Settings
