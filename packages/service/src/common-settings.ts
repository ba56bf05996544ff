import { listenAddress, oneOf, type Settings, text, wholeNumber } from './config.ts'

/** What every service takes. */
export const commonSettings = {
  kubeconfig: {
    description:
      'Path of a kubeconfig; without it the Pod’s service account, else KUBECONFIG or ~/.kube/config',
    parse: text,
  },
  context: { description: 'Context of the kubeconfig', parse: text },
  'nats-url': { description: 'NATS servers, with commas', default: 'nats://127.0.0.1:4222', parse: natsUrl },
  'nats-user': { description: 'NATS user', parse: text },
  'nats-password-file': { description: 'File with the NATS password', parse: text },
  'nats-password': {
    description: 'NATS password, where there is no file; from the environment alone',
    secret: true,
    parse: text,
  },
  'nats-credentials-file': { description: 'NATS .creds file', parse: text },
  'nats-ca-file': { description: 'PEM file of the CA of the NATS servers; turns TLS on', parse: text },
  'nats-replicas': { description: 'Copies of each stream', default: '1', parse: wholeNumber(1, 5) },
  'lease-namespace': {
    description:
      'Namespace of the Leases by which replicas share the work; without it this process is the only one',
    parse: text,
  },
  'replica-name': {
    description:
      'Name of this replica, unlike that of any other; the host name (in a cluster that of the Pod) if not given',
    parse: replicaName,
  },
  'lease-duration-seconds': {
    description: 'How long after its last sign of life a replica is waited for before others do its work',
    default: '6',
    parse: wholeNumber(2, 60),
  },
  'http-addr': {
    description: 'Where /healthz, /readyz and /metrics are served',
    default: ':8080',
    parse: listenAddress,
  },
  'otlp-endpoint': {
    description: 'OpenTelemetry collector (OTLP over HTTP) that gets a span for each step of a commit',
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    parse: httpUrl,
  },
  'log-level': {
    description: 'Least severe log level',
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
  },
  'stop-grace-seconds': {
    description: 'How long work under way may take after SIGTERM',
    default: '20',
    parse: wholeNumber(0, 600),
  },
} as const satisfies Settings

function replicaName(given: string): string {
  if (!/^[a-z0-9]([-a-z0-9.]{0,198}[a-z0-9])?$/.test(given))
    throw new Error('must be lower case letters, digits, - and .')
  return given
}

function natsUrl(given: string): string {
  for (const server of given.split(','))
    if (!/^(nats|tls|ws|wss):\/\/[^\s/]+\/?$/.test(server))
      throw new Error('must be nats://host:port, several with commas')
  return given
}

function httpUrl(given: string): string {
  if (!/^https?:\/\/[^\s/]+/.test(given)) throw new Error('must be http://host:port')
  return given
}
