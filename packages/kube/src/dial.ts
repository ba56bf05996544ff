import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Credentials } from './credentials.ts'
import { KubeConfigError } from './errors.ts'
import type { Endpoint, PemSource } from './kubeconfig.ts'
import { ConnectionError } from './transport.ts'

/** Bound on making one connection, TLS handshake included. */
const connectTimeoutMs = 10_000

/**
 * Makes a TLS connection that speaks HTTP/2. Certificates are read anew each time, so that rotated files are taken
 * up by the next connection.
 */
export async function dial(endpoint: Endpoint, credentials: Credentials): Promise<TLSSocket> {
  const options = await tlsOptions(endpoint, credentials)
  const socket = await handshake(endpoint, options)
  if (socket.alpnProtocol === 'h2') return socket
  socket.destroy()
  throw new ConnectionError(`${endpoint.server} does not speak HTTP/2`, { processed: 'no', connected: false })
}

/** What both kinds of connection (HTTP/2 here, HTTPS elsewhere) need to know. */
async function tlsOptions(endpoint: Endpoint, credentials: Credentials): Promise<ConnectionOptions> {
  const { hostname, port } = new URL(endpoint.server)
  // An IPv6 address has brackets in a URL but not in a socket address.
  const host = hostname.replace(/^\[|\]$/g, '')
  const options: ConnectionOptions = {
    host,
    port: port === '' ? 443 : Number(port),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: !endpoint.skipTlsVerify,
  }
  const servername = endpoint.tlsServerName ?? (isIP(host) ? undefined : host)
  if (servername) options.servername = servername
  if (endpoint.ca) options.ca = await readPem(endpoint.ca, 'certificate-authority')
  const fromPlugin = await credentials.certificate()
  const cert = fromPlugin?.cert ?? (await optionalPem(endpoint.certificate, 'client-certificate'))
  const key = fromPlugin?.key ?? (await optionalPem(endpoint.key, 'client-key'))
  return { ...options, ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
}

async function optionalPem(source: PemSource | undefined, field: string): Promise<string | undefined> {
  return source && readPem(source, field)
}

async function readPem(source: PemSource, field: string): Promise<string> {
  if ('pem' in source) return source.pem
  try {
    return await readFile(source.file, 'utf8')
  } catch (cause) {
    throw new KubeConfigError(`${field} file ${source.file} can't be read`, { cause })
  }
}

function handshake(endpoint: Endpoint, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options)
    const fail = (reason: string, cause?: unknown) => {
      clearTimeout(timer)
      socket.destroy()
      reject(
        new ConnectionError(`${endpoint.server} can't be reached: ${reason}`, {
          processed: 'no',
          connected: false,
          cause,
        }),
      )
    }
    const timer = setTimeout(
      () => fail(`no connection within ${connectTimeoutMs / 1000} s`),
      connectTimeoutMs,
    )
    socket.once('error', (error) => fail(error.message, error))
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      // The connection is idle between requests; TCP keep-alive keeps middle boxes from forgetting it.
      socket.setKeepAlive(true, 30_000)
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}
