import type { GitLogins } from '@setpoint/cloud'
import { type GitRepositorySpec, parseDuration } from '@setpoint/contracts'
import {
  displayUrl,
  type GitCredentials,
  type GitHubApps,
  type ProxyOptions,
  type RemoteOptions,
  type SshCredentials,
} from '@setpoint/git'
import { accountOf, refuseForeignServer } from './cloud.ts'
import { AccessError } from './errors.ts'
import { gitHubAppOf } from './github-app.ts'
import type { SecretValues } from './secret-values.ts'

const DEFAULT_TIMEOUT = '60s'

export interface RemoteSettings {
  /** What `spec.secretRef` names. */
  secret: SecretValues | undefined
  /** What `spec.proxySecretRef` names. */
  proxySecret: SecretValues | undefined
  /** Gets tokens for `provider: github`. */
  githubApps: GitHubApps
  /** Logs in for `provider: azure` and `aws`. */
  gitLogins: Pick<GitLogins, 'get'>
  /** Of the object. */
  namespace: string
  /** Bounds of the caller. */
  limits: Pick<RemoteOptions, 'maxBytes' | 'maxRedirects' | 'packLimits' | 'allowLinkLocal'>
  signal: AbortSignal
}

/**
 * How a repository is listed, fetched and pushed to.
 * @throws AccessError for what the spec or a Secret lacks; GitError when a GitHub App gets no token; CloudError.
 */
export async function remoteOf(spec: GitRepositorySpec, settings: RemoteSettings): Promise<RemoteOptions> {
  if (!URL.canParse(spec.url))
    throw new AccessError('InvalidUrl', `"${displayUrl(spec.url)}" is not a URL that can be read`)
  const { secret, signal, limits } = settings
  const proxy = toProxy(settings.proxySecret)
  const way = {
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    signal,
    ...limits,
    ...toCredentials(spec.url, secret),
    ...(proxy === undefined ? {} : { proxy }),
  }
  const app = gitHubAppOf(spec, secret)
  const auth = app && { auth: await settings.githubApps.credentials(app, way) }
  return { url: spec.url, ...way, ...auth, ...(await cloudLogin(spec, way, settings)) }
}

async function cloudLogin(
  spec: GitRepositorySpec,
  way: Omit<RemoteOptions, 'url'>,
  { gitLogins, namespace, signal }: RemoteSettings,
): Promise<Pick<RemoteOptions, 'auth'>> {
  const { provider, url } = spec
  if (provider !== 'aws' && provider !== 'azure') return {}
  if (!url.startsWith('https:'))
    throw new AccessError('InvalidProvider', `provider ${provider} needs an https URL`)
  refuseForeignServer(spec, way)
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(way.timeoutMs)])
  const account = accountOf(spec, namespace)
  return { auth: await gitLogins.get({ provider, url, account, signal: bounded }) }
}

type Credentials = Pick<RemoteOptions, 'auth' | 'caPem' | 'clientCertificate' | 'ssh'>

function toCredentials(url: string, secret: SecretValues | undefined): Credentials {
  if (url.startsWith('ssh:')) return { ssh: toSsh(secret) }
  if (secret === undefined) return {}
  const auth = toHttp(secret)
  const caPem = secret.get('ca.crt', 'caFile')
  const clientCertificate = toClientCertificate(secret)
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  }
}

function toSsh(secret: SecretValues | undefined): SshCredentials {
  if (secret === undefined)
    throw unusable('an ssh URL needs spec.secretRef: a Secret with identity and known_hosts')
  const [identity, knownHosts, passphrase] = ['identity', 'known_hosts', 'password'].map((key) =>
    secret.get(key),
  )
  if (identity === undefined)
    throw unusable(`Secret "${secret.name}" has no identity, the private key for ssh`)
  if (knownHosts === undefined)
    throw unusable(`Secret "${secret.name}" has no known_hosts, the host keys that are trusted for ssh`)
  return { identity, knownHosts, ...(passphrase === undefined ? {} : { passphrase }) }
}

function toHttp(secret: SecretValues): GitCredentials | undefined {
  const [username, password, bearerToken] = ['username', 'password', 'bearerToken'].map((key) =>
    secret.get(key),
  )
  const hasBasic = username !== undefined || password !== undefined
  if (bearerToken !== undefined && hasBasic)
    throw unusable(`Secret "${secret.name}" has both bearerToken and username or password; give one of them`)
  if (bearerToken !== undefined) return { bearerToken }
  if (!hasBasic) return undefined
  if (username === undefined) throw unusable(`Secret "${secret.name}" has a password but no username`)
  return { username, password: password ?? '' }
}

function toClientCertificate(secret: SecretValues): RemoteOptions['clientCertificate'] {
  const [certPem, keyPem] = [secret.get('tls.crt', 'certFile'), secret.get('tls.key', 'keyFile')]
  if (certPem === undefined && keyPem === undefined) return undefined
  if (certPem === undefined || keyPem === undefined)
    throw unusable(
      `Secret "${secret.name}" has only one of tls.crt and tls.key; a client certificate needs both`,
    )
  return { certPem, keyPem }
}

function toProxy(secret: SecretValues | undefined): ProxyOptions | undefined {
  if (secret === undefined) return undefined
  const [address, username, password] = ['address', 'username', 'password'].map((key) => secret.get(key))
  if (address === undefined) throw unusable(`Secret "${secret.name}" has no address, the URL of the proxy`)
  return {
    address,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}

function unusable(message: string): AccessError {
  return new AccessError('UnusableSecret', message)
}
