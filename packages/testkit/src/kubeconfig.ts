import { stringify } from 'yaml'

/** Who a kubeconfig speaks as. */
export type Credentials = { cert: string; key: string } | { token: string }

/** The text of a kubeconfig with one context. */
export function kubeconfigText(url: string, caPem: string, user: Credentials): string {
  const encoded = (pem: string) => Buffer.from(pem).toString('base64')
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': encoded(user.cert), 'client-key-data': encoded(user.key) }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'setpoint', cluster: { server: url, 'certificate-authority-data': encoded(caPem) } }],
    users: [{ name: 'setpoint', user: credentials }],
    contexts: [{ name: 'setpoint', context: { cluster: 'setpoint', user: 'setpoint' } }],
    'current-context': 'setpoint',
  })
}
