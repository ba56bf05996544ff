import { isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import { KubeConfigError } from './errors.ts'

/** PEM text, or the file to read it from each time that a connection is made. */
export type PemSource = { pem: string } | { file: string }

/** How the client proves who it is. */
export type Authentication =
  | { kind: 'none' }
  | { kind: 'token'; token: string }
  | { kind: 'tokenFile'; path: string }
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'exec'; exec: ExecPlugin }
  | { kind: 'tokenSource'; token(): Promise<ShortToken> }
  | { kind: 'authProvider'; name: string; kubeconfig: string }

/** A token with an end. */
export interface ShortToken {
  token: string
  /** Milliseconds since 1970. */
  expires: number
}

/** `users[].user.exec` of a kubeconfig: a command that prints an ExecCredential. */
export interface ExecPlugin {
  apiVersion: string
  command: string
  args: string[]
  env: Record<string, string>
  /** Tell the command about the cluster in KUBERNETES_EXEC_INFO. */
  provideClusterInfo: boolean
  installHint: string
}

/** One context of a kubeconfig, resolved: a server and a way to be known to it. */
export interface Endpoint {
  /** https:// or http:// URL without a slash at its end. */
  server: string
  ca?: PemSource
  certificate?: PemSource
  key?: PemSource
  skipTlsVerify: boolean
  tlsServerName?: string
  proxyUrl?: string
  authentication: Authentication
  /** Headers that make the client act as somebody else. */
  impersonation: Record<string, string>
}

type Fields = Record<string, unknown>

/** A kubeconfig's lists with relative file names resolved; the result of one file or of several merged ones. */
export interface Kubeconfig {
  currentContext: string
  clusters: Map<string, Fields>
  users: Map<string, Fields>
  contexts: Map<string, Fields>
}

const filePathFields = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']

/**
 * Reads the text of one kubeconfig.
 * @param directory what relative file names in it are relative to
 * @param origin how errors name it, for example its path
 */
export function parseKubeconfig(text: string, directory: string, origin: string): Kubeconfig {
  let document: unknown
  try {
    document = parse(text)
  } catch {
    // The parser's own message quotes the line, which may hold a token.
    throw new KubeConfigError(`${origin} is not valid YAML`)
  }
  const fields = record(document)
  if (!fields)
    throw new KubeConfigError(`${origin} is not a kubeconfig: it has no clusters, users and contexts`)
  return {
    currentContext: stringOf(fields['current-context']) ?? '',
    clusters: named(fields.clusters, 'cluster', directory),
    users: named(fields.users, 'user', directory),
    contexts: named(fields.contexts, 'context', directory),
  }
}

/** Merges as kubectl does for a list of files in KUBECONFIG: the first that sets a value wins. */
export function mergeKubeconfigs(configs: Kubeconfig[]): Kubeconfig {
  const backwards = configs.toReversed()
  return {
    currentContext: configs.find((config) => config.currentContext !== '')?.currentContext ?? '',
    clusters: new Map(backwards.flatMap((config) => [...config.clusters])),
    users: new Map(backwards.flatMap((config) => [...config.users])),
    contexts: new Map(backwards.flatMap((config) => [...config.contexts])),
  }
}

/**
 * Picks a context and resolves its cluster and user.
 * @throws KubeConfigError naming the context, cluster or user that is missing
 */
export function resolveEndpoint(
  config: Kubeconfig,
  contextName: string | undefined,
  origin: string,
): Endpoint {
  const name = contextName ?? config.currentContext
  if (name === '') throw new KubeConfigError(`${origin} has no current-context: name a context`)
  const context = config.contexts.get(name)
  if (!context) throw new KubeConfigError(`${origin} has no context "${name}"`)
  const clusterName = stringOf(context.cluster) ?? ''
  const cluster = config.clusters.get(clusterName)
  if (!cluster)
    throw new KubeConfigError(
      `${origin}: context "${name}" names cluster "${clusterName}", which is not there`,
    )
  const userName = stringOf(context.user) ?? ''
  const user = userName === '' ? {} : config.users.get(userName)
  if (!user)
    throw new KubeConfigError(`${origin}: context "${name}" names user "${userName}", which is not there`)
  return endpointOf(cluster, user, `${origin}: cluster "${clusterName}"`)
}

function endpointOf(cluster: Fields, user: Fields, origin: string): Endpoint {
  const endpoint: Endpoint = {
    server: serverOf(cluster, origin),
    skipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    authentication: authenticationOf(cluster, user),
    impersonation: impersonationOf(user),
  }
  const ca = pemSource(cluster, 'certificate-authority')
  const certificate = pemSource(user, 'client-certificate')
  const key = pemSource(user, 'client-key')
  const tlsServerName = stringOf(cluster['tls-server-name'])
  const proxyUrl = stringOf(cluster['proxy-url'])
  if (ca) endpoint.ca = ca
  if (certificate) endpoint.certificate = certificate
  if (key) endpoint.key = key
  if (tlsServerName) endpoint.tlsServerName = tlsServerName
  if (proxyUrl) endpoint.proxyUrl = proxyUrl
  return endpoint
}

function serverOf(cluster: Fields, origin: string): string {
  const server = stringOf(cluster.server) ?? ''
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new KubeConfigError(`${origin}: server is not an http:// or https:// URL`)
  }
  return server.replace(/\/+$/, '')
}

function authenticationOf(cluster: Fields, user: Fields): Authentication {
  const tokenFile = stringOf(user.tokenFile)
  const token = stringOf(user.token)
  const username = stringOf(user.username)
  const exec = record(user.exec)
  const provider = record(user['auth-provider'])
  if (tokenFile) return { kind: 'tokenFile', path: tokenFile }
  if (token) return { kind: 'token', token }
  if (username) return { kind: 'basic', username, password: stringOf(user.password) ?? '' }
  if (exec) return { kind: 'exec', exec: execPluginOf(exec) }
  if (provider) {
    return {
      kind: 'authProvider',
      name: stringOf(provider.name) ?? '',
      kubeconfig: singleKubeconfig(cluster, user),
    }
  }
  return { kind: 'none' }
}

/** A kubeconfig of one context, for the library that knows the old auth providers. JSON is YAML too. */
function singleKubeconfig(cluster: Fields, user: Fields): string {
  return JSON.stringify({
    'current-context': 'only',
    clusters: [{ name: 'only', cluster }],
    users: [{ name: 'only', user }],
    contexts: [{ name: 'only', context: { cluster: 'only', user: 'only' } }],
  })
}

function execPluginOf(exec: Fields): ExecPlugin {
  const env = (Array.isArray(exec.env) ? exec.env : []).map(record).filter((entry) => entry !== undefined)
  return {
    apiVersion: stringOf(exec.apiVersion) ?? 'client.authentication.k8s.io/v1',
    command: stringOf(exec.command) ?? '',
    args: (Array.isArray(exec.args) ? exec.args : []).map(String),
    env: Object.fromEntries(env.map((entry) => [String(entry.name), String(entry.value)])),
    provideClusterInfo: exec.provideClusterInfo === true,
    installHint: stringOf(exec.installHint) ?? '',
  }
}

function impersonationOf(user: Fields): Record<string, string> {
  const name = stringOf(user.as)
  return name ? { 'impersonate-user': name } : {}
}

function pemSource(fields: Fields, field: string): PemSource | undefined {
  const data = stringOf(fields[`${field}-data`])
  if (data) return { pem: Buffer.from(data, 'base64').toString('utf8') }
  const file = stringOf(fields[field])
  return file ? { file } : undefined
}

function named(list: unknown, field: string, directory: string): Map<string, Fields> {
  const result = new Map<string, Fields>()
  for (const item of Array.isArray(list) ? list : []) {
    const entry = record(item)
    const name = stringOf(entry?.name)
    const value = record(entry?.[field])
    if (name !== undefined && value && !result.has(name))
      result.set(name, withAbsolutePaths(value, directory))
  }
  return result
}

function withAbsolutePaths(fields: Fields, directory: string): Fields {
  const result = { ...fields }
  for (const field of filePathFields) {
    const path = stringOf(fields[field])
    if (path && !isAbsolute(path)) result[field] = join(directory, path)
  }
  return result
}

function record(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
