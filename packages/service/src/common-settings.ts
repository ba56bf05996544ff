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
  'nats-password-file': {
    description: 'File with the NATS password (or SETPOINT_NATS_PASSWORD)',
    parse: text,
  },
  'nats-credentials-file': { description: 'NATS .creds file', parse: text },
  'nats-ca-file': { description: 'PEM file of the CA of the NATS servers; turns TLS on', parse: text },
  'nats-replicas': { description: 'Copies of each stream', default: '1', parse: wholeNumber(1, 5) },
  'http-addr': {
    description: 'Where /healthz, /readyz and /metrics are served',
    default: ':8080',
    parse: listenAddress,
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

function natsUrl(given: string): string {
  for (const server of given.split(','))
    if (!/^(nats|tls|ws|wss):\/\/[^\s/]+\/?$/.test(server))
      throw new Error('must be nats://host:port, several with commas')
  return given
}
