import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { REGISTRY_USER, type RegistryServer, startRegistry } from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RegistryAccess } from './access.ts'
import { RegistryClient } from './client.ts'
import { type ImageName, parseImageName } from './image-name.ts'

const stack = new AsyncDisposableStack()
const client = stack.use(new RegistryClient({ now: Date.now }))
const options = { timeoutMs: 10_000 }
const plain: RegistryAccess = { insecure: true }

afterAll(() => stack.disposeAsync())

const imageAt = (host: string, repository = 'team/app'): ImageName => parseImageName(`${host}/${repository}`)

describe('a plain registry', () => {
  let registry: RegistryServer
  beforeAll(async () => {
    registry = stack.use(await startRegistry())
  })

  it('lists the tags that were pushed, and says where a tag points to', async () => {
    const digest = await registry.push('team/app', '1.0.0')
    await registry.push('team/app', '1.1.0', 'other')
    const image = imageAt(registry.host)
    expect((await client.listTags(image, plain, options)).sort()).toEqual(['1.0.0', '1.1.0'])
    expect(await client.resolveDigest(image, '1.0.0', plain, options)).toBe(digest)
    const moved = await registry.push('team/app', '1.0.0', 'moved')
    expect(await client.resolveDigest(image, '1.0.0', plain, options)).toBe(moved)
  })

  it('lists every page of tags', async () => {
    const tags = Array.from({ length: 2_500 }, (_, index) => `build-${index}`)
    await registry.pushMany('team/many', tags)
    const found = await client.listTags(imageAt(registry.host, 'team/many'), plain, options)
    expect(found.sort()).toEqual(tags.sort())
  })

  it.each(['listTags', 'resolveDigest'] as const)('%s of what does not exist is NotFound', async (call) => {
    const image = imageAt(registry.host, 'team/none')
    const asked =
      call === 'listTags'
        ? client.listTags(image, plain, options)
        : client.resolveDigest(image, '1.0.0', plain, options)
    await expect(asked).rejects.toMatchObject({ code: 'NotFound' })
  })
})

describe('manifests and blobs', () => {
  const content = Buffer.from('the layer')
  let registry: RegistryServer
  beforeAll(async () => {
    registry = stack.use(await startRegistry())
  })

  it('are read and checked', async () => {
    const digest = await registry.pushLayers('team/layers', 'latest', [{ mediaType: 'text/plain', content }])
    const image = imageAt(registry.host, 'team/layers')
    const manifest = await client.fetchManifest(image, digest, plain, options)
    expect(manifest).toMatchObject({
      kind: 'image',
      layers: [{ mediaType: 'text/plain', size: content.length }],
    })
    const [layer] = manifest.kind === 'image' ? manifest.layers : []
    if (layer === undefined) throw new Error('there is no layer')
    expect(await client.fetchBlob(image, layer, plain, options)).toEqual(content)
    const shorter = client.fetchBlob(image, { ...layer, size: 3 }, plain, options)
    await expect(shorter).rejects.toMatchObject({ code: 'ProtocolError' })
    const large = client.fetchBlob(image, layer, plain, { ...options, maxBytes: 3 })
    await expect(large).rejects.toMatchObject({ code: 'TooLarge' })
  })

  it.each([
    ['no JSON', '<html>'],
    ['an unknown media type', '{"mediaType":"application/x-evil","layers":[]}'],
    ['no layers', '{"schemaVersion":2}'],
    ['a layer without a size', '{"layers":[{"mediaType":"a/b","digest":"sha256:0"}]}'],
    ['another digest', '{"layers":[]}'],
  ])('a manifest with %s is refused', async (what, body) => {
    await using server = await serve((_request, response) => response.end(body))
    const own = `sha256:${createHash('sha256').update(body).digest('hex')}`
    const digest = what === 'another digest' ? `sha256:${'0'.repeat(64)}` : own
    const code = what === 'another digest' ? 'DigestMismatch' : 'ProtocolError'
    await expect(client.fetchManifest(server.image, digest, plain, options)).rejects.toMatchObject({ code })
  })

  it('a redirect to where the bytes are is followed without credentials', async () => {
    const seen: (string | undefined)[] = []
    await using store = await serve((request, response) => {
      seen.push(request.headers.authorization)
      response.end(content)
    })
    await using server = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
      return response.writeHead(307, { location: `http://${store.image.registry}/blob` }).end()
    })
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    const layer = { mediaType: 'text/plain', digest, size: content.length }
    const access = { insecure: true, credentials: REGISTRY_USER }
    expect(await client.fetchBlob(server.image, layer, access, options)).toEqual(content)
    expect(seen).toEqual([undefined])
  })
})

describe.each(['basic', 'token'] as const)('a registry with %s authentication', (auth) => {
  let registry: RegistryServer
  beforeAll(async () => {
    registry = stack.use(await startRegistry({ auth }))
    await registry.push('team/app', '1.0.0')
  })

  it('answers to the right user', async () => {
    const access = { insecure: true, credentials: REGISTRY_USER }
    expect(await client.listTags(imageAt(registry.host), access, options)).toEqual(['1.0.0'])
    expect(await client.resolveDigest(imageAt(registry.host), '1.0.0', access, options)).toMatch(/^sha256:/)
  })

  it('refuses another, and the error holds no password', async () => {
    const access = { insecure: true, credentials: { username: 'ada', password: 'hunter2' } }
    const refused = client.listTags(imageAt(registry.host), access, options)
    await expect(refused).rejects.toMatchObject({
      code: 'AuthenticationFailed',
      message: expect.not.stringContaining('hunter2'),
    })
  })

  it('refuses nobody in particular', async () => {
    await expect(client.listTags(imageAt(registry.host), plain, options)).rejects.toMatchObject({
      code: 'AuthenticationFailed',
    })
  })
})

it('a token is used again while it lives', async () => {
  await using registry = await startRegistry({ auth: 'token' })
  await registry.push('team/app', '1.0.0')
  const access = { insecure: true, credentials: REGISTRY_USER }
  await using own = new RegistryClient({ now: Date.now })
  const list = () => own.listTags(imageAt(registry.host), access, options)
  await list()
  await list()
  expect(registry.tokens?.requests).toBe(1)
})

describe('a registry with a private authority that asks for client certificates', () => {
  let registry: RegistryServer
  beforeAll(async () => {
    registry = stack.use(await startRegistry({ clientCertificates: true }))
    await registry.push('team/app', '1.0.0')
  })

  it('answers to the certificate', async () => {
    const { caPem, client: pair } = registry
    const shown = { caPem, client: { certPem: pair?.cert ?? '', keyPem: pair?.key ?? '' } }
    expect(await client.listTags(imageAt(registry.host), shown, options)).toEqual(['1.0.0'])
  })

  it('is not reached without the certificate, nor without trust', async () => {
    const image = imageAt(registry.host)
    const { caPem } = registry
    await expect(client.listTags(image, { caPem }, options)).rejects.toMatchObject({ code: 'Unreachable' })
    await expect(client.listTags(image, {}, options)).rejects.toMatchObject({ code: 'Unreachable' })
  })
})

describe('a registry that misbehaves', () => {
  const page = (tags: unknown, link?: string): Handler => {
    return (_request, response) =>
      response.writeHead(200, link === undefined ? {} : { link }).end(JSON.stringify({ tags }))
  }

  it.each<[string, Handler, string]>([
    [
      'names the same page again',
      page(['a'], '</v2/team/app/tags/list?n=1000>; rel="next"'),
      'ProtocolError',
    ],
    [
      'has always another page without tags',
      (request, response) => {
        const link = `<${request.url}x>; rel="next"`
        response.writeHead(200, { link }).end('{"tags":[]}')
      },
      'ProtocolError',
    ],
    ['sends to another host', page(['a'], '<http://192.0.2.1/v2/>; rel="next"'), 'ProtocolError'],
    [
      'redirects to a link-local address',
      (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      'AddressRefused',
    ],
    ['sends no JSON', (_request, response) => response.end('<html>'), 'ProtocolError'],
    ['sends no list', page('latest'), 'ProtocolError'],
    ['answers 500', (_request, response) => response.writeHead(500).end(), 'ServerError'],
    ['answers 403', (_request, response) => response.writeHead(403).end(), 'AuthenticationFailed'],
    ['breaks off', (_request, response) => response.destroy(), 'Unreachable'],
    [
      'asks for a token from a file',
      (_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }).end(),
      'AuthenticationFailed',
    ],
  ])('%s: the call ends with an error', async (_what, handler, code) => {
    await using server = await serve(handler)
    await expect(client.listTags(server.image, plain, options)).rejects.toMatchObject({ code })
  })

  it('sends without end: the call stops at its limit of bytes', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    await using server = await serve((_request, response) => {
      const more = () => {
        while (response.write(chunk));
        response.once('drain', more)
      }
      response.on('error', () => undefined)
      more()
    })
    await expect(client.listTags(server.image, plain, options)).rejects.toMatchObject({ code: 'TooLarge' })
  })

  it('never answers: the call stops at its time', async () => {
    await using server = await serve(() => undefined)
    const asked = client.listTags(server.image, plain, { timeoutMs: 50 })
    await expect(asked).rejects.toMatchObject({ code: 'Timeout' })
  })

  it('answers 429: it is left alone for as long as it asks', async () => {
    let requests = 0
    await using server = await serve((_request, response) => {
      requests += 1
      if (requests === 1) response.writeHead(429, { 'retry-after': '60' }).end()
      else response.end('{"tags":["1.0.0"]}')
    })
    let time = 1_000_000
    await using own = new RegistryClient({ now: Date.now, uptime: () => time })
    const list = () => own.listTags(server.image, plain, options)
    await expect(list()).rejects.toMatchObject({ code: 'TooManyRequests', retryAfterMs: 60_000 })
    time += 30_000
    await expect(list()).rejects.toMatchObject({ code: 'TooManyRequests', retryAfterMs: 30_000 })
    expect(requests).toBe(1)
    time += 30_001
    expect(await list()).toEqual(['1.0.0'])
  })

  it('is asked through a proxy, with its password', async () => {
    const seen: string[] = []
    await using proxy = await serve((request, response) => {
      seen.push(`${request.url} ${request.headers['proxy-authorization']}`)
      response.end('{"tags":["1.0.0"]}')
    })
    const proxied = { url: `http://${proxy.image.registry}`, username: 'ada', password: 'secret' }
    const access = { insecure: true, proxy: proxied }
    const found = client.listTags(imageAt('registry.example.com'), access, options)
    await found.catch(() => undefined)
    expect(seen.join()).toContain('registry.example.com')
  })
})

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown
async function serve(handler: Handler) {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    image: imageAt(`127.0.0.1:${(server.address() as AddressInfo).port}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
