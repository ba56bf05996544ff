/**
 * NATS subjects. A dot in a Kubernetes name is written `_`, which no Kubernetes name contains,
 * so that every name is one token and the mapping can be undone.
 */

const PREFIX = 'setpoint'

export interface ObjectKey {
  namespace: string
  name: string
}

export interface KindKey extends ObjectKey {
  kind: string
}

export type EventSeverity = 'trace' | 'info' | 'error'

export const subjects = {
  artifact: (key: KindKey) => `${PREFIX}.artifact.${key.kind}.${tokens(key)}`,
  rendered: (key: ObjectKey) => `${PREFIX}.rendered.${tokens(key)}`,
  outcome: (key: ObjectKey) => `${PREFIX}.outcome.${tokens(key)}`,
  /** What the last scan, choice or commit of an image object was. */
  image: (what: 'scan' | 'choice' | 'commit', key: ObjectKey) => `${PREFIX}.image.${what}.${tokens(key)}`,
  reconcile: (key: KindKey) => `${PREFIX}.reconcile.${key.kind}.${tokens(key)}`,
  event: (severity: EventSeverity, key: KindKey) => `${PREFIX}.event.${severity}.${key.kind}.${tokens(key)}`,
  /** Where a message goes that nobody could read; the original subject follows. */
  deadLetter: (original: string) => `${PREFIX}.dead-letter.${original}`,
  all: {
    artifact: `${PREFIX}.artifact.>`,
    rendered: `${PREFIX}.rendered.>`,
    outcome: `${PREFIX}.outcome.>`,
    image: `${PREFIX}.image.>`,
    event: `${PREFIX}.event.>`,
    deadLetter: `${PREFIX}.dead-letter.>`,
    reconcile: (kind: string) => `${PREFIX}.reconcile.${kind}.>`,
  },
} as const

/** The namespace and name that the last two tokens of a subject stand for. */
export function keyOfSubject(subject: string): ObjectKey {
  const parts = subject.split('.')
  const [namespace, name] = parts.slice(-2)
  if (namespace === undefined || name === undefined || parts.length < 4)
    throw new Error(`subject "${subject}" does not end in a namespace and a name`)
  return { namespace: fromToken(namespace), name: fromToken(name) }
}

function tokens(key: ObjectKey): string {
  return `${toToken(key.namespace)}.${toToken(key.name)}`
}

const toToken = (name: string): string => name.replaceAll('.', '_')
const fromToken = (token: string): string => token.replaceAll('_', '.')
