import { describe, expect, test } from 'vitest'
import { mergeKubeconfigs, parseKubeconfig, resolveEndpoint } from './kubeconfig.ts'

const text = `
apiVersion: v1
kind: Config
current-context: staging
clusters:
- name: staging
  cluster: {server: "https://staging.example.test:6443/", certificate-authority: ca.crt, tls-server-name: kubernetes}
- name: production
  cluster: {server: "https://[2001:db8::1]:6443", certificate-authority-data: UEVN}
users:
- name: file
  user: {tokenFile: ./token, as: somebody}
- name: certificate
  user: {client-certificate-data: Q0VSVA==, client-key: /keys/client.key}
contexts:
- name: staging
  context: {cluster: staging, user: file}
- name: production
  context: {cluster: production, user: certificate}
- name: broken
  context: {cluster: gone, user: file}
`

const parse = (content = text) => parseKubeconfig(content, '/etc/kube', '/etc/kube/config')

describe('a context', () => {
  test('the current one is taken, with file names relative to the kubeconfig', () => {
    expect(resolveEndpoint(parse(), undefined, 'config')).toEqual({
      server: 'https://staging.example.test:6443',
      ca: { file: '/etc/kube/ca.crt' },
      tlsServerName: 'kubernetes',
      skipTlsVerify: false,
      authentication: { kind: 'tokenFile', path: '/etc/kube/token' },
      impersonation: { 'impersonate-user': 'somebody' },
    })
  })

  test('one that is named wins over the current one', () => {
    expect(resolveEndpoint(parse(), 'production', 'config')).toEqual({
      server: 'https://[2001:db8::1]:6443',
      ca: { pem: 'PEM' },
      certificate: { pem: 'CERT' },
      key: { file: '/keys/client.key' },
      skipTlsVerify: false,
      authentication: { kind: 'none' },
      impersonation: {},
    })
  })
})

describe('the error', () => {
  test.each([
    ['a context that is not there', text, 'absent', 'config has no context "absent"'],
    [
      'a cluster that is not there',
      text,
      'broken',
      'config: context "broken" names cluster "gone", which is not there',
    ],
    ['no current context', 'clusters: []', undefined, 'config has no current-context: name a context'],
  ])('names %s', (_situation, content, context, message) => {
    expect(() => resolveEndpoint(parse(content), context, 'config')).toThrow(message)
  })

  test('of a text that is not YAML does not quote it', () => {
    expect(() => parse('token: "secret\n  }')).toThrow(/^\/etc\/kube\/config is not valid YAML$/)
  })

  test('of a text that is no kubeconfig says what is missing', () => {
    expect(() => parse('just words')).toThrow('is not a kubeconfig')
  })
})

test('of several kubeconfigs the first that sets a value wins', () => {
  const second = text
    .replace('current-context: staging', 'current-context: production')
    .replace('staging.example', 'other.example')
  const extra = 'contexts: [{name: extra, context: {cluster: staging, user: file}}]'
  const merged = mergeKubeconfigs([parse(), parse(second), parse(extra)])
  expect(resolveEndpoint(merged, undefined, 'config').server).toBe('https://staging.example.test:6443')
  expect(resolveEndpoint(merged, 'extra', 'config').server).toBe('https://staging.example.test:6443')
})
