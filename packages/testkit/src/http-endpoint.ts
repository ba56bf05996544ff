import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { KeyPair } from './certificate.ts'

/** A server on a free port of 127.0.0.1 that speaks as much of some API as a test needs. */
export interface Endpoint extends AsyncDisposable {
  port: number
}

/** What an endpoint answers: a status, and what is sent as JSON or as it is. */
export interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: object | string
}

/** Starts an endpoint. It serves TLS with a pair. An answer that is undefined is never sent; one that fails breaks the connection. */
export async function startEndpoint(
  answer: (request: IncomingMessage, body: string) => Answer | undefined | Promise<Answer | undefined>,
  pair?: KeyPair,
): Promise<Endpoint> {
  const listener: RequestListener = async (request, response) => {
    const given = await textOf(request)
      .then((text) => answer(request, text))
      .catch(() => void request.destroy())
    if (given === undefined) return
    const { status = 200, headers = {}, body = '' } = given
    const [type, text] =
      typeof body === 'string' ? ['text/plain', body] : ['application/json', JSON.stringify(body)]
    response.writeHead(status, { 'content-type': type, ...headers }).end(text)
  }
  const server: Server = pair === undefined ? createServer(listener) : createTlsServer(pair, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
