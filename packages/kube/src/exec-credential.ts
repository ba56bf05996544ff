import { execFile } from 'node:child_process'
import { KubeConfigError } from './errors.ts'
import type { Endpoint, ExecPlugin, PemSource } from './kubeconfig.ts'

/** What a credential plugin answered. */
export interface ExecCredential {
  token?: string
  certificate?: { cert: string; key: string }
  /** Milliseconds since 1970; without it the credential has no known end. */
  expires?: number
}

/** A plugin may have to talk to a cloud; it never has a person to talk to. */
const pluginTimeoutMs = 30_000
const pluginOutputBytes = 1024 * 1024

/**
 * Starts a credential plugin and reads the ExecCredential that it prints.
 * @throws KubeConfigError saying what went wrong, without the plugin's output, which may hold the credential
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  endpoint: Endpoint,
  environment: Record<string, string | undefined>,
): Promise<ExecCredential> {
  if (plugin.command === '') throw new KubeConfigError('the kubeconfig has an exec user without a command')
  const output = await run(plugin, { ...environment, ...plugin.env, ...execInfo(plugin, endpoint) })
  return parseExecCredential(output, plugin.command)
}

function run(plugin: ExecPlugin, env: Record<string, string | undefined>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: pluginTimeoutMs, maxBuffer: pluginOutputBytes }
    const child = execFile(plugin.command, plugin.args, options, (error, output) => {
      if (error) reject(pluginError(plugin, error))
      else resolve(output)
    })
    child.stdin?.end()
  })
}

function pluginError(
  plugin: ExecPlugin,
  error: { code?: unknown; killed?: boolean | undefined },
): KubeConfigError {
  const name = `credential plugin ${plugin.command}`
  if (error.code === 'ENOENT') {
    const hint = plugin.installHint === '' ? '' : `: ${plugin.installHint}`
    return new KubeConfigError(`${name} is not installed${hint}`)
  }
  if (error.killed) return new KubeConfigError(`${name} did not answer within ${pluginTimeoutMs / 1000} s`)
  return new KubeConfigError(`${name} failed with exit code ${String(error.code)}`)
}

function execInfo(plugin: ExecPlugin, endpoint: Endpoint): Record<string, string> {
  const spec = {
    interactive: false,
    ...(plugin.provideClusterInfo ? { cluster: clusterInfo(endpoint) } : {}),
  }
  const info = { kind: 'ExecCredential', apiVersion: plugin.apiVersion, spec }
  return { KUBERNETES_EXEC_INFO: JSON.stringify(info) }
}

function clusterInfo(endpoint: Endpoint): Record<string, unknown> {
  return {
    server: endpoint.server,
    ...(endpoint.tlsServerName ? { 'tls-server-name': endpoint.tlsServerName } : {}),
    ...(endpoint.skipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(endpoint.proxyUrl ? { 'proxy-url': endpoint.proxyUrl } : {}),
    ...caData(endpoint.ca),
  }
}

function caData(ca: PemSource | undefined): Record<string, string> {
  if (!ca || 'file' in ca) return {}
  return { 'certificate-authority-data': Buffer.from(ca.pem).toString('base64') }
}

function parseExecCredential(output: string, command: string): ExecCredential {
  const status = readStatus(output)
  const token = status?.token
  const cert = status?.clientCertificateData
  const key = status?.clientKeyData
  const expires = Date.parse(String(status?.expirationTimestamp))
  const credential: ExecCredential = {}
  if (typeof token === 'string' && token !== '') credential.token = token
  if (typeof cert === 'string' && typeof key === 'string') credential.certificate = { cert, key }
  if (!Number.isNaN(expires)) credential.expires = expires
  if (!credential.token && !credential.certificate) {
    throw new KubeConfigError(
      `credential plugin ${command} printed no ExecCredential with a token or certificate`,
    )
  }
  return credential
}

function readStatus(output: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(output)
    return (parsed as { status?: Record<string, unknown> } | null)?.status
  } catch {
    return undefined
  }
}
