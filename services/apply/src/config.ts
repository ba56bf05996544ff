import { namespacedName, type Settings, text, trueOrFalse, wholeNumber } from '@setpoint/service'

/** What this service takes besides the settings that all have. */
export const settings = {
  concurrent: {
    description: 'Kustomizations that are worked on at once',
    default: '8',
    parse: wholeNumber(1, 256),
  },
  'concurrent-ssa': {
    description: 'Objects of one Kustomization that are asked about or written at once',
    default: '16',
    parse: wholeNumber(1, 256),
  },
  'sealing-key-secret': {
    description: 'Secret with the key that opens rendered sets, as <namespace>/<name>',
    default: 'setpoint-system/setpoint-sealing-key',
    parse: namespacedName,
  },
  'watch-label-selector': {
    description: 'Only Kustomizations with these labels, such as sharding.fluxcd.io/key=shard1',
    default: '',
    parse: text,
  },
  'additive-cel-dependency-check': {
    description: 'A readyExpr of dependsOn is asked besides the usual check of readiness, not in its place',
    default: 'false',
    parse: trueOrFalse,
  },
  'default-service-account': {
    description: 'Service account to act as for a Kustomization that names none; empty: the own identity',
    default: '',
    parse: text,
  },
  'insecure-kubeconfig-exec': {
    description: 'Kubeconfigs in Secrets may start credential plugins',
    default: 'false',
    parse: trueOrFalse,
  },
  'insecure-kubeconfig-tls': {
    description: 'Kubeconfigs in Secrets may turn off certificate checks',
    default: 'false',
    parse: trueOrFalse,
  },
} as const satisfies Settings
