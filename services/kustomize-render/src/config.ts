import { namespacedName, type Settings, text, trueOrFalse, wholeNumber } from '@setpoint/service'

/** What this service takes besides the settings that all have. */
export const settings = {
  concurrent: {
    description: 'Kustomizations that are rendered at once',
    default: '4',
    parse: wholeNumber(1, 64),
  },
  'sealing-key-secret': {
    description: 'Secret with the key that seals rendered sets, as <namespace>/<name>',
    default: 'setpoint-system/setpoint-sealing-key',
    parse: namespacedName,
  },
  'no-cross-namespace-refs': {
    description: 'Refuse sources in another namespace than the Kustomization’s',
    default: 'true',
    parse: trueOrFalse,
  },
  'strict-substitution': {
    description: 'Refuse a variable of spec.postBuild that has neither a value nor a default',
    default: 'true',
    parse: trueOrFalse,
  },
  'sops-age-secret': {
    description: 'Secret with age identities for spec.decryption without a secretRef, as <namespace>/<name>',
    default: '',
    parse: (given: string) => (given === '' ? undefined : namespacedName(given)),
  },
  'sops-check-mac': {
    description: 'Refuse a file that was changed after sops encrypted it',
    default: 'true',
    parse: trueOrFalse,
  },
  'object-level-workload-identity': {
    description: 'Key services of clouds may be asked as the ServiceAccount of spec.decryption',
    default: 'false',
    parse: trueOrFalse,
  },
  'default-decryption-service-account': {
    description: 'ServiceAccount of their namespace for Kustomizations whose spec.decryption names none',
    default: '',
    parse: text,
  },
  'sops-vault-configmap': {
    description: 'ConfigMap with the Vault servers that ServiceAccounts may log in to, as <namespace>/<name>',
    default: '',
    parse: (given: string) => (given === '' ? undefined : namespacedName(given)),
  },
  'max-source-mib': {
    description: 'The most that the files of one source may hold, in MiB',
    default: '512',
    parse: wholeNumber(1, 4096),
  },
  'parse-cache-mib': {
    description: 'Source text whose parse is kept for the next build, in MiB',
    default: '32',
    parse: wholeNumber(1, 1024),
  },
  'watch-label-selector': {
    description: 'Only Kustomizations with these labels, such as sharding.fluxcd.io/key=shard1',
    default: '',
    parse: text,
  },
} as const satisfies Settings
