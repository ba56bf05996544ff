import { type GitRepository, parseDuration } from '@setpoint/contracts'
import type { GitCredentials, ProxyOptions, RemoteOptions, SshCredentials } from '@setpoint/git'
import { ReconcileError } from '@setpoint/reconcile'
import type { ImageContext } from '../context.ts'
import { readSecret, type SecretValues } from '../secret.ts'

const REASON = 'SourceManagerFailed'
const DEFAULT_TIMEOUT = '60s'

/** How a GitRepository is read and written, with the Secrets that it names. @throws ReconcileError */
export async function readRemote(
  context: ImageContext,
  { metadata, spec }: GitRepository,
  signal: AbortSignal,
): Promise<RemoteOptions> {
  const secret = (reference: { name: string } | undefined) =>
    readSecret(context, metadata.namespace ?? '', reference, { signal, reason: REASON })
  const proxy = toProxy(await secret(spec.proxySecretRef))
  return {
    url: spec.url,
    timeoutMs: parseDuration(spec.timeout ?? DEFAULT_TIMEOUT),
    signal,
    maxBytes: context.fetchBytes,
    ...toCredentials(spec.url, await secret(spec.secretRef)),
    ...(proxy === undefined ? {} : { proxy }),
  }
}

type Credentials = Pick<RemoteOptions, 'auth' | 'caPem' | 'clientCertificate' | 'ssh'>

function toCredentials(url: string, secret: SecretValues | undefined): Credentials {
  if (url.startsWith('ssh:')) return { ssh: toSsh(secret) }
  if (secret === undefined) return {}
  const [caPem, certPem, keyPem] = [
    secret.get('ca.crt', 'caFile'),
    secret.get('tls.crt', 'certFile'),
    secret.get('tls.key', 'keyFile'),
  ]
  const auth = toHttp(secret)
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(certPem === undefined || keyPem === undefined ? {} : { clientCertificate: { certPem, keyPem } }),
  }
}

function toSsh(secret: SecretValues | undefined): SshCredentials {
  const [identity, knownHosts, passphrase] = ['identity', 'known_hosts', 'password'].map((key) =>
    secret?.get(key),
  )
  if (secret === undefined || identity === undefined || knownHosts === undefined)
    throw new ReconcileError(
      REASON,
      'an ssh URL needs a Secret with identity and known_hosts in spec.secretRef of its GitRepository',
    )
  return { identity, knownHosts, ...(passphrase === undefined ? {} : { passphrase }) }
}

function toHttp(secret: SecretValues): GitCredentials | undefined {
  const [username, password, bearerToken] = ['username', 'password', 'bearerToken'].map((key) =>
    secret.get(key),
  )
  if (bearerToken !== undefined) return { bearerToken }
  if (username === undefined) return undefined
  return { username, password: password ?? '' }
}

function toProxy(secret: SecretValues | undefined): ProxyOptions | undefined {
  if (secret === undefined) return undefined
  const [address, username, password] = ['address', 'username', 'password'].map((key) => secret.get(key))
  if (address === undefined)
    throw new ReconcileError(REASON, `Secret "${secret.name}" has no address, the URL of the proxy`)
  return {
    address,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}
