import { ApiClient } from './client.ts'
import type { KubeClient, KubeClientOptions } from './client-types.ts'
import { loadEndpoint, pluginEnvironment } from './config.ts'
import { type Credentials, makeCredentials } from './credentials.ts'
import { dial } from './dial.ts'
import { KubeConfigError } from './errors.ts'
import { Http1Transport } from './http1-transport.ts'
import { Http2Session } from './http2-session.ts'
import { Http2Transport } from './http2-transport.ts'
import { type Endpoint, parseKubeconfig, resolveEndpoint } from './kubeconfig.ts'
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
export async function fromKubeConfigText(text: string, options: KubeClientOptions = {}): Promise<KubeClient> {
  const endpoint = resolveEndpoint(
    parseKubeconfig(text, '/', 'the kubeconfig'),
    options.context,
    'the kubeconfig',
  )
  refuseUntrusted(endpoint)
  return clientOf(endpoint, options)
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

function refuseUntrusted(endpoint: Endpoint): void {
  const { authentication, skipTlsVerify, ca, certificate, key } = endpoint
  const refuse = (what: string) => {
    throw new KubeConfigError(`the kubeconfig ${what}, which is not allowed here`)
  }
  if (authentication.kind === 'exec') refuse(`starts the command ${authentication.exec.command}`)
  if (authentication.kind === 'authProvider') refuse(`uses the auth provider ${authentication.name}`)
  if (authentication.kind === 'tokenFile') refuse('names a token file')
  if (skipTlsVerify) refuse('turns off certificate checks')
  if ([ca, certificate, key].some((source) => source && 'file' in source)) refuse('names certificate files')
}
