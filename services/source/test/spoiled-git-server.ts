import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { GitServer } from '@setpoint/testkit'

/** What the real server answered. */
export interface RealAnswer {
  status: number
  type: string
  body: Buffer
}

/** Answers in place of the real server; undefined where it lets its answer through. */
export type Spoil = (real: RealAnswer, response: ServerResponse, request: IncomingMessage) => unknown

/** A real Git server whose answers go through the hands of a test. */
export interface SpoiledGitServer extends AsyncDisposable {
  url: string
  /** From now on; without one, all answers are as they were. */
  spoil(how?: Spoil): void
}

export async function startSpoiledGitServer(behind: GitServer): Promise<SpoiledGitServer> {
  let spoil: Spoil | undefined
  const server = createServer(async (request, response) => {
    const real = await ask(behind, request)
    if (spoil !== undefined) return void spoil(real, response, request)
    pass(real, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spoil: (how) => {
      spoil = how
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function ask(behind: GitServer, request: IncomingMessage): Promise<RealAnswer> {
  const { method = 'GET', url = '', headers } = request
  const kept = ['content-type', 'accept', 'git-protocol'].flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  const body = method === 'POST' ? { body: new Uint8Array(await buffer(request)) } : {}
  const answer = await fetch(`${behind.url}${url}`, { method, headers: Object.fromEntries(kept), ...body })
  const type = answer.headers.get('content-type') ?? ''
  return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) }
}

export function pass({ status, type, body }: RealAnswer, response: ServerResponse): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body)
}

/** Spoils packs only. */
export function packs(change: (pack: Buffer) => Buffer): Spoil {
  return (real, response, { method }) => {
    if (method !== 'POST') return pass(real, response)
    pass({ ...real, body: withPack(real.body, change) }, response)
  }
}

export function pktLine(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

/** The answer to a fetch with another pack in it: what the first band of the sideband carries. */
function withPack(answer: Buffer, change: (pack: Buffer) => Buffer): Buffer {
  const before: Buffer[] = []
  const pack: Buffer[] = []
  for (let at = 0; at < answer.length; ) {
    const length = Math.max(Number.parseInt(answer.toString('latin1', at, at + 4), 16), 4)
    const content = answer.subarray(at + 4, at + length)
    if (content[0] === 1) pack.push(content.subarray(1))
    else if (pack.length === 0 && content[0] !== 2) before.push(answer.subarray(at, at + length))
    at += length
  }
  const changed = change(Buffer.concat(pack))
  const bands: Buffer[] = []
  for (let at = 0; at < changed.length; at += 60_000)
    bands.push(pktLine(Buffer.concat([Buffer.from([1]), changed.subarray(at, at + 60_000)])))
  return Buffer.concat([...before, ...bands, Buffer.from('0000')])
}
