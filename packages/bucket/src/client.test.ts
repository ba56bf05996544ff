import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3_USER, type S3Server, startS3Server } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BucketAccess } from './access.ts'
import { BucketClient } from './client.ts'

const stack = new AsyncDisposableStack()
const client = stack.use(new BucketClient({ pageSize: 2 }))
const call = { timeoutMs: 10_000, signal: new AbortController().signal }
const all = { ...call, prefix: '', maxObjects: 100 }
let s3: S3Server
let access: BucketAccess
let place: BucketAccess

beforeAll(async () => {
  s3 = stack.use(await startS3Server())
  await s3.createBucket('fleet')
  place = { endpoint: s3.endpoint, bucket: 'fleet', insecure: true }
  access = { ...place, api: { kind: 's3', credentials: S3_USER } }
})
afterAll(() => stack.disposeAsync())

describe('a bucket', () => {
  const keys = ['a.yaml', 'b c+d.yaml', 'ü/&<>.yaml', "it's (1)!*.yaml", 'z']

  it('is listed page by page, and every object is read', async () => {
    for (const key of keys) await s3.put('fleet', key, `content of ${key}`)
    const objects = await client.list(access, all)
    expect(objects.map(({ key }) => key).sort()).toEqual([...keys].sort())
    for (const object of objects)
      expect((await client.read(access, object, call)).toString()).toBe(`content of ${object.key}`)
  })

  it('has no more objects than the limit', async () => {
    const listed = client.list(access, { ...all, maxObjects: 4 })
    await expect(listed).rejects.toMatchObject({ code: 'TooLarge' })
  })

  it('an object that was written or deleted after it was listed is Changed', async () => {
    const listed = (await client.list(access, all)).filter(({ key }) => key === 'a.yaml' || key === 'z')
    await s3.put('fleet', 'a.yaml', 'CONTENT OF a.yaml')
    await s3.delete('fleet', 'z')
    for (const object of listed)
      await expect(client.read(access, object, call)).rejects.toMatchObject({ code: 'Changed' })
    expect(await client.find(access, 'z', { ...call, maxBytes: 10 })).toBeUndefined()
  })

  it('refuses others', async () => {
    const credentials = { ...S3_USER, secretAccessKey: 'hunter2' }
    for (const other of [{ ...place, api: { kind: 's3', credentials } } as const, place])
      await expect(client.list(other, all)).rejects.toMatchObject({
        code: 'AuthenticationFailed',
        message: expect.not.stringContaining('hunter2'),
      })
  })
})

it('does not ask a link-local address', async () => {
  const listed = client.list({ ...access, endpoint: '169.254.169.254' }, all)
  await expect(listed).rejects.toMatchObject({ code: 'InvalidEndpoint' })
})

describe('a server that misbehaves', () => {
  type Handler = (request: IncomingMessage, response: ServerResponse) => unknown
  const page = (text: string) => `<ListBucketResult>${text}</ListBucketResult>`

  it.each<[string, Handler, string]>([
    [
      'names the same page again',
      (_request, response) =>
        response.end(page('<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>')),
      'ProtocolError',
    ],
    ['sends no XML', (_request, response) => response.end('{}'), 'ProtocolError'],
    [
      'sends entities of its own',
      (_request, response) => response.end(`<!DOCTYPE a [<!ENTITY e "x">]>${page('&e;')}`),
      'ProtocolError',
    ],
    [
      'sends an object without a tag',
      (_request, response) => response.end(page('<Contents><Key>a</Key></Contents>')),
      'ProtocolError',
    ],
    [
      'redirects to another host',
      (_request, response) => response.writeHead(301, { location: 'http://192.0.2.1/' }).end(),
      'ProtocolError',
    ],
    ['answers 500', (_request, response) => response.writeHead(500).end(), 'ServerError'],
    ['breaks off', (_request, response) => response.destroy(), 'Unreachable'],
    ['never answers', () => undefined, 'Timeout'],
    ['sends without end', (_request, response) => response.end(Buffer.alloc(9 * 1024 * 1024)), 'TooLarge'],
  ])('%s: the call ends with an error', async (_what, handler, code) => {
    const server = createServer(handler)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const listed = client.list(
        { ...access, endpoint },
        { ...all, timeoutMs: code === 'Timeout' ? 50 : 10_000 },
      )
      await expect(listed).rejects.toMatchObject({ code })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

it('says in which region a bucket of AWS is', async () => {
  const server = createServer((_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(301, { 'x-amz-bucket-region': 'eu-west-1' }).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    await expect(client.list({ ...place, endpoint }, all)).rejects.toThrow('ask for it in eu-west-1')
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
