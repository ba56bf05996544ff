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
  'check-requests-per-second': {
    description:
      'Requests to the API server that checks at the interval may send; other work is not bounded by it',
    default: '100',
    parse: wholeNumber(1, 100_000),
  },
  'run-deadline-seconds': {
    description: 'When a run over one Kustomization is given up, unless its spec.timeout is longer',
    default: '60',
    parse: wholeNumber(1, 900),
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
  'default-kubeconfig-service-account': {
    description: 'ServiceAccount of their namespace for clusters of clouds whose ConfigMap names none',
    default: '',
    parse: text,
  },
  'object-level-workload-identity': {
    description: 'Clusters of clouds may be reached as the ServiceAccount that their ConfigMap names',
    default: 'false',
    parse: trueOrFalse,
  },
  'custom-apply-stage-kinds': {
    description:
      'Kinds that are applied before the rest of a set, with commas, such as rbac.authorization.k8s.io/Role',
    default: '',
    parse: groupKinds,
  },
  'override-manager': {
    description:
      'Field managers whose fields are taken over, besides kubectl; beginnings of names, with commas',
    default: '',
    parse: names,
  },
} as const satisfies Settings

function names(given: string): string[] {
  return given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The core group has an empty name: `/Service`. */
function groupKinds(given: string): string[] {
  const kinds = names(given)
  if (kinds.some((kind) => !/^[a-z0-9.-]*\/[A-Za-z0-9]+$/.test(kind)))
    throw new Error('must be <group>/<kind>, several with commas, such as rbac.authorization.k8s.io/Role')
  return kinds
}
