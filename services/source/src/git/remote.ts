import { type GitRepositorySpec, parseDuration } from '@setpoint/contracts'
import {
  displayUrl,
  type GitCredentials,
  type GitHubApp,
  type ProxyOptions,
  type RemoteOptions,
  type SshCredentials,
} from '@setpoint/git'
import { Stalled } from '@setpoint/reconcile'
import { SourceFailure } from '../failure.ts'
import { readSecret, type SecretValues, unusable } from '../secret.ts'
import type { GitContext, GitTask } from './git-context.ts'

const DEFAULT_TIMEOUT = '60s'

/** How the repository of a task is reached. @throws Stalled for an unusable URL, SourceFailure for an unusable Secret. */
export async function readRemote(context: GitContext, task: GitTask): Promise<RemoteOptions> {
  const { spec } = task.object
  if (!URL.canParse(spec.url))
    throw new Stalled('URLInvalid', `"${displayUrl(spec.url)}" is not a URL that can be read`)
  const proxy = toProxy(await readSecret(context, task, spec.proxySecretRef))
  const secret = await readSecret(context, task, spec.secretRef)
  const way = {
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    signal: task.signal,
    maxBytes: context.limits.fetchBytes,
    packLimits: context.limits.pack,
    allowLinkLocal: context.limits.allowLinkLocal,
    ...toCredentials(spec.url, secret),
    ...(proxy === undefined ? {} : { proxy }),
  }
  const app = toGitHubApp(spec, secret)
  const auth = app && { auth: await context.githubApps.credentials(app, way) }
  return { url: spec.url, ...way, ...auth }
}

function toGitHubApp(spec: GitRepositorySpec, secret: SecretValues | undefined): GitHubApp | undefined {
  const keys = [
    'githubAppID',
    'githubAppPrivateKey',
    'githubAppInstallationID',
    'githubAppInstallationOwner',
    'githubAppBaseURL',
  ]
  const [appId, privateKey, installationId, owner, baseUrl] = keys.map((key) => secret?.get(key))
  if (spec.provider !== 'github') {
    if (appId === undefined) return undefined
    throw misconfigured(`Secret "${secret?.name}" is of a GitHub App, which needs spec.provider: github`)
  }
  if (spec.url.startsWith('ssh:')) throw misconfigured('provider github needs an https URL, not ssh')
  if (appId === undefined || privateKey === undefined)
    throw misconfigured(
      'provider github needs spec.secretRef: a Secret with githubAppID and githubAppPrivateKey',
    )
  if ((installationId === undefined) === (owner === undefined))
    throw misconfigured(
      `Secret "${secret?.name}" needs one of githubAppInstallationID and githubAppInstallationOwner`,
    )
  return {
    appId,
    privateKey,
    ...(installationId === undefined ? {} : { installationId }),
    ...(owner === undefined ? {} : { owner }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  }
}

function misconfigured(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'InvalidProviderConfiguration', message)
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
