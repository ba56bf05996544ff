import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect, isIP, type Socket } from 'node:net'
import { GitError } from './errors.ts'
import { guardedLookup, refuseLinkLocal } from './link-local.ts'
import type { ProxyOptions, RemoteOptions } from './remote-options.ts'
import { codeOf, messageOf } from './translate-error.ts'

/** Where a connection goes. */
export interface Endpoint {
  host: string
  port: number
}

const DEFAULT_PORTS: Record<string, number> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
  'socks5h:': 1080,
}

/** A connection to a server, through the proxy where there is one. @throws GitError or the error of the socket */
export async function openTunnel(
  endpoint: Endpoint,
  options: Pick<RemoteOptions, 'proxy' | 'allowLinkLocal'>,
  signal: AbortSignal,
): Promise<Socket> {
  const { proxy } = options
  if (!options.allowLinkLocal) refuseLinkLocal(endpoint.host)
  if (proxy === undefined) return direct(endpoint, options, signal)
  const address = proxyAddress(proxy)
  try {
    return address.protocol.startsWith('socks')
      ? await throughSocks(endpoint, address, proxy, signal)
      : await throughHttp(endpoint, address, proxy, signal)
  } catch (cause) {
    if (cause instanceof GitError || signal.aborted) throw cause
    const reason = codeOf(cause) ?? messageOf(cause)
    throw new GitError('Unreachable', `the proxy ${address.host} gives no way to ${endpoint.host}: ${reason}`)
  }
}

/** @throws GitError when the address is no proxy's */
export function proxyAddress({ address }: ProxyOptions): URL {
  if (URL.canParse(address) && new URL(address).protocol in DEFAULT_PORTS) return new URL(address)
  throw new GitError('ProtocolError', 'the address of the proxy is not an http, https or socks5 URL')
}

/** The value of `Proxy-Authorization`; undefined for a proxy without credentials. */
export function proxyAuthorization({ username, password }: ProxyOptions): string | undefined {
  if (username === undefined) return undefined
  return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
}

function direct(
  { host, port }: Endpoint,
  { allowLinkLocal }: Pick<RemoteOptions, 'allowLinkLocal'>,
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ host, port, signal, ...(allowLinkLocal ? {} : { lookup: guardedLookup }) })
  socket.once('error', reject)
  socket.once('connect', () => resolve(socket))
  return promise
}

async function throughSocks(
  { host, port }: Endpoint,
  address: URL,
  proxy: ProxyOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const { username, password } = proxy
  // Loaded where it is needed, which is seldom.
  const { SocksClient } = await import('socks')
  const connecting = SocksClient.createConnection({
    command: 'connect',
    destination: { host, port },
    proxy: {
      host: bare(address.hostname),
      port: portOf(address),
      type: 5,
      ...(username === undefined ? {} : { userId: username, password: password ?? '' }),
    },
  })
  const { socket } = await orAborted(connecting, signal)
  return socket
}

function throughHttp({ host, port }: Endpoint, address: URL, proxy: ProxyOptions, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  const authorization = proxyAuthorization(proxy)
  const send = address.protocol === 'https:' ? requestHttps : requestHttp
  const request = send({
    method: 'CONNECT',
    host: bare(address.hostname),
    port: portOf(address),
    path: target,
    signal,
    headers: {
      host: target,
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
    },
  })
  request.once('connect', (response, socket, head) => {
    if (response.statusCode !== 200) return reject(proxyRefusal(address, target, response.statusCode))
    if (head.length > 0) socket.unshift(head)
    resolve(socket as Socket)
  })
  request.once('response', (response) => reject(proxyRefusal(address, target, response.statusCode)))
  request.once('error', reject)
  request.end()
  return promise
}

function proxyRefusal(address: URL, target: string, status: number | undefined): GitError {
  if (status === 407)
    return new GitError(
      'AuthenticationFailed',
      `the proxy ${address.host} refused the credentials (HTTP 407)`,
    )
  return new GitError('Unreachable', `the proxy ${address.host} gives no way to ${target} (HTTP ${status})`)
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', abort))
}

export function portOf(address: URL): number {
  return Number(address.port) || (DEFAULT_PORTS[address.protocol] ?? 0)
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
