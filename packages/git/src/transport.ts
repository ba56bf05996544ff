import type { IncomingHttpHeaders } from 'node:http'
import { httpTransport } from './http-client.ts'
import type { RemoteOptions } from './remote-options.ts'

export interface TransportRequest {
  url: string
  /** Default GET. */
  method?: string
  headers?: Record<string, string>
  body?: Uint8Array
}

export interface TransportResponse {
  /** Where the answer came from, after redirects. */
  url: string
  statusCode: number
  headers: IncomingHttpHeaders
  /** As it arrives. */
  body: AsyncIterable<Uint8Array>
}

/**
 * The way to one server for one operation: listing, fetching or pushing.
 * Its limits (time, bytes) hold for the whole of the operation, so make a new one for each.
 */
export interface Transport extends AsyncDisposable {
  request(request: TransportRequest): Promise<TransportResponse>
  /** Bytes that came over the network so far. */
  readonly receivedBytes: number
}

/** Opens the way to a server, by the scheme of the URL. Nothing is sent yet. */
export async function openTransport(options: RemoteOptions): Promise<Transport> {
  if (!options.url.startsWith('ssh:')) return httpTransport(options)
  // Loaded for the first one: a process that only speaks HTTP holds less.
  const { sshTransport } = await import('./ssh/ssh-transport.ts')
  return sshTransport(options)
}

/** All of an answer, of which the transport bounds the bytes. */
export async function bytesOf({ body }: TransportResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
