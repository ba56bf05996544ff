import { ApiClient } from './client.ts'
import type { KubeClient, KubeClientOptions } from './client-types.ts'
import { loadEndpoint, pluginEnvironment } from './config.ts'
import { type Credentials, makeCredentials } from './credentials.ts'
import { dial } from './dial.ts'
import { KubeConfigError } from './errors.ts'
import { Http1Transport } from './http1-transport.ts'
import { Http2Session } from './http2-session.ts'
import { Http2Transport } from './http2-transport.ts'
import { type Endpoint, parseKubeconfig, resolveEndpoint, type ShortToken } from './kubeconfig.ts'
import { Limiter } from './limiter.ts'
import { Requester } from './requester.ts'
import type { Transport } from './transport.ts'

const defaultConcurrency = 64
const defaultQueue = 10_000

/**
 * Reads the kubeconfig and makes a client; no request is sent yet. Dispose of it to close its connections.
 * @throws KubeConfigError when the kubeconfig can't be read or lacks something
 */
export async function connectKube(options: KubeClientOptions = {}): Promise<KubeClient> {
  return clientOf(await loadEndpoint(options), options)
}

/**
 * A client from the text of a kubeconfig that somebody else wrote, such as one kept in a Secret: it may neither
 * start a command, nor name files, nor turn off certificate checks.
 * @throws KubeConfigError when the text is not a kubeconfig or asks for one of these
 */
export async function fromKubeConfigText(
  text: string,
  options: KubeClientOptions & Trust = {},
): Promise<KubeClient> {
  const endpoint = resolveEndpoint(
    parseKubeconfig(text, '/', 'the kubeconfig'),
    options.context,
    'the kubeconfig',
  )
  refuseUntrusted(endpoint, options)
  return clientOf(endpoint, options)
}

/** An API server that is spoken to with tokens that end and are asked for again. */
export interface TokenServer {
  /** https:// URL. */
  server: string
  /** PEM text of the authority of its certificate; the well-known ones without it. */
  ca?: string | undefined
  token(): Promise<ShortToken>
}

/** A client of a server for which tokens are made. No request is sent yet, and no token made. */
export function connectWithToken(
  { server, ca, token }: TokenServer,
  options: KubeClientOptions = {},
): KubeClient {
  return clientOf(
    {
      server: server.replace(/\/+$/, ''),
      ...(ca === undefined ? {} : { ca: { pem: ca } }),
      skipTlsVerify: false,
      authentication: { kind: 'tokenSource', token },
      impersonation: {},
    },
    options,
  )
}

/** What a kubeconfig that somebody else wrote may do all the same. */
export interface Trust {
  /** Start a credential plugin. */
  allowExec?: boolean | undefined
  /** Turn off certificate checks. */
  allowInsecureTls?: boolean | undefined
}

function clientOf(endpoint: Endpoint, options: KubeClientOptions): KubeClient {
  if (endpoint.proxyUrl) throw new KubeConfigError('proxy-url in a kubeconfig is not supported yet')
  const credentials = makeCredentials(endpoint, pluginEnvironment())
  const concurrent = options.maxConcurrentRequests ?? defaultConcurrency
  const limiter = new Limiter({ concurrent, waiting: options.maxQueuedRequests ?? defaultQueue })
  const transport = transportOf(endpoint, credentials, (allowed) => {
    limiter.limit = Math.min(concurrent, allowed)
  })
  const requester = new Requester({ endpoint, credentials, transport, limiter, options })
  return new ApiClient(endpoint.server, requester, () => transport.close())
}

function transportOf(
  endpoint: Endpoint,
  credentials: Credentials,
  onLimit: (limit: number) => void,
): Transport {
  if (endpoint.server.startsWith('http:')) return new Http1Transport(endpoint)
  const open = async () => new Http2Session(endpoint.server, await dial(endpoint, credentials))
  return new Http2Transport(open, onLimit)
}

function refuseUntrusted(endpoint: Endpoint, { allowExec = false, allowInsecureTls = false }: Trust): void {
  const { authentication, skipTlsVerify, ca, certificate, key } = endpoint
  const refuse = (what: string) => {
    throw new KubeConfigError(`the kubeconfig ${what}, which is not allowed here`)
  }
  if (authentication.kind === 'exec' && !allowExec)
    refuse(`starts the command ${authentication.exec.command}`)
  if (authentication.kind === 'authProvider') refuse(`uses the auth provider ${authentication.name}`)
  if (authentication.kind === 'tokenFile') refuse('names a token file')
  if (skipTlsVerify && !allowInsecureTls) refuse('turns off certificate checks')
  if ([ca, certificate, key].some((source) => source && 'file' in source)) refuse('names certificate files')
}
