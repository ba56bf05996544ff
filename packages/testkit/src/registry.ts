import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { binary } from './binary.ts'
import { certificateAuthority, type KeyPair } from './certificate.ts'
import { type Child, endedEarly, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { connects } from './port-probe.ts'
import { startTokenServer, type TokenServer } from './registry-token-server.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

/** The user that a registry with `auth` knows. */
export const REGISTRY_USER = { username: 'ada', password: 'correct-horse' } as const

/** bcrypt of that password, for the registry's htpasswd file. */
const PASSWORD_HASH = '$2b$06$YgaSCIV8Q3Z0Msd4HEMhwuT4bDUSj4GUSMoBVkXi0x4oyalqD6ca6'

/** A running distribution registry. */
export interface RegistryServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as it stands in the name of an image. */
  host: string
  /** The authority to trust, when it serves TLS. */
  caPem?: string
  /** A certificate that it takes, when it asks clients for one. */
  client?: KeyPair
  /** Where its files are. */
  root: string
  tokens?: TokenServer
  /** Pushes a small image under a tag and returns the digest of its manifest. content makes the digest. */
  push(repository: string, tag: string, content?: string): Promise<string>
  /** Pushes an artifact with these layers and returns the digest of its manifest. */
  pushLayers(repository: string, tag: string, layers: RegistryLayer[]): Promise<string>
  /** The same image under many tags: fast, for the tags are written to the registry's files. */
  pushMany(repository: string, tags: readonly string[]): Promise<void>
  /** SIGKILL, and no restart. */
  kill(): Promise<void>
  restart(): Promise<void>
  logs(): string
}

export interface RegistryLayer {
  mediaType: string
  content: Uint8Array
}

export interface RegistryOptions {
  tls?: boolean
  /** Clients must show a certificate; means tls. */
  clientCertificates?: boolean
  /** basic: user and password with each request; token: from a token server. */
  auth?: 'basic' | 'token'
  /** Further users with the same password, for basic. */
  users?: string[]
  /** Further names that it answers to, with TLS. */
  names?: string[]
}

/** Starts the distribution registry on 127.0.0.1 with an empty store. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RegistryServer> {
  const program = await binary('registry')
  const stack = new AsyncDisposableStack()
  const home = stack.use(await temporaryDirectory('registry')).path
  const port = await freePort()
  const files = await writeFiles(home, port, options, stack)
  const start = () => startServer(program, files.config, port)
  const running = { child: await start() }
  stack.defer(() => running.child.kill())
  const server: Omit<RegistryServer, 'push' | 'pushLayers' | 'pushMany' | keyof AsyncDisposable> = {
    host: `127.0.0.1:${port}`,
    root: files.root,
    ...(files.caPem === undefined ? {} : { caPem: files.caPem }),
    ...(files.client === undefined ? {} : { client: files.client }),
    ...(files.tokens === undefined ? {} : { tokens: files.tokens }),
    kill: () => running.child.kill(),
    restart: async () => {
      await running.child.kill()
      running.child = await start()
    },
    logs: () => running.child.logs(),
  }
  return {
    ...server,
    push: (repository, tag, content = `${repository}:${tag}`) => push(server, { repository, tag, content }),
    pushLayers: (repository, tag, layers) => pushLayers(server, { repository, tag, config: '{}', layers }),
    pushMany: (repository, tags) => pushMany(server, repository, tags),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

interface Files {
  config: string
  root: string
  caPem?: string
  client?: KeyPair
  tokens?: TokenServer
}

async function writeFiles(
  home: string,
  port: number,
  { tls, clientCertificates, auth, users = [], names = [] }: RegistryOptions,
  stack: AsyncDisposableStack,
): Promise<Files> {
  const root = join(home, 'store')
  const authority = tls || clientCertificates ? certificateAuthority('registry') : undefined
  const own = authority?.issue({ commonName: '127.0.0.1', server: ['127.0.0.1', 'localhost', ...names] })
  const files: Record<string, string> = {
    htpasswd: [REGISTRY_USER.username, ...users].map((user) => `${user}:${PASSWORD_HASH}\n`).join(''),
    'ca.pem': authority?.pem ?? '',
    'tls.crt': own?.cert ?? '',
    'tls.key': own?.key ?? '',
  }
  const tokens = auth === 'token' ? stack.use(await startTokenServer(REGISTRY_USER)) : undefined
  if (tokens !== undefined) files['tokens.pem'] = tokens.caPem
  const at = (name: string) => join(home, name)
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: root }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      ...(authority === undefined
        ? {}
        : {
            tls: {
              certificate: at('tls.crt'),
              key: at('tls.key'),
              ...(clientCertificates ? { clientcas: [at('ca.pem')] } : {}),
            },
          }),
    },
    ...(auth === 'basic' ? { auth: { htpasswd: { realm: 'registry', path: at('htpasswd') } } } : {}),
    ...(tokens === undefined
      ? {}
      : { auth: { token: { ...tokens.registrySettings, rootcertbundle: at('tokens.pem') } } }),
  }
  // JSON is YAML too.
  files['config.yml'] = JSON.stringify(config)
  await mkdir(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(at(name), content)
  return {
    config: at('config.yml'),
    root,
    ...(authority === undefined ? {} : { caPem: authority.pem }),
    ...(clientCertificates && authority ? { client: authority.issue({ commonName: 'client' }) } : {}),
    ...(tokens === undefined ? {} : { tokens }),
  }
}

async function startServer(program: string, config: string, port: number): Promise<Child> {
  const child = await startChild('registry', program, ['serve', config], {
    env: { OTEL_TRACES_EXPORTER: 'none' },
  })
  const ended = child.exited.then((exit) => Promise.reject(endedEarly(child, exit)))
  ended.catch(() => undefined)
  await Promise.race([
    waitFor('the registry takes connections', () => connects(port), { intervalMs: 20 }),
    ended,
  ])
  return child
}

type Address = Pick<RegistryServer, 'host' | 'caPem' | 'client' | 'tokens' | 'root'>

async function push(
  server: Address,
  { repository, tag, content }: { repository: string; tag: string; content: string },
): Promise<string> {
  const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: { content } } })
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    content: Buffer.from(`layer of ${content}`),
  }
  return pushLayers(server, { repository, tag, config, layers: [layer] })
}

async function pushLayers(
  server: Address,
  {
    repository,
    tag,
    config,
    layers,
  }: { repository: string; tag: string; config: string; layers: RegistryLayer[] },
): Promise<string> {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const descriptors = []
  for (const layer of layers)
    descriptors.push({ mediaType: layer.mediaType, ...(await pushBlob(server, repository, layer.content)) })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      ...(await pushBlob(server, repository, Buffer.from(config))),
    },
    layers: descriptors,
  })
  await send(server, repository, 'PUT', `manifests/${tag}`, manifest, mediaType)
  return digestOf(manifest)
}

async function pushBlob(server: Address, repository: string, content: Uint8Array) {
  const digest = digestOf(content)
  const { location } = await send(server, repository, 'POST', 'blobs/uploads/')
  const separator = location?.includes('?') ? '&' : '?'
  const path = `${location}${separator}digest=${encodeURIComponent(digest)}`
  await send(server, repository, 'PUT', path, content, 'application/octet-stream')
  return { digest, size: content.length }
}

async function pushMany(server: Address, repository: string, tags: readonly string[]): Promise<void> {
  const [first, ...rest] = tags
  if (first === undefined) return
  const digest = await push(server, { repository, tag: first, content: repository })
  const directory = join(server.root, 'docker/registry/v2/repositories', repository, '_manifests/tags')
  for (const tag of rest) {
    await mkdir(join(directory, tag, 'current'), { recursive: true })
    await writeFile(join(directory, tag, 'current', 'link'), digest)
  }
}

/** One request of a push; path is below the repository, or an address that the registry gave. */
async function send(
  server: Address,
  repository: string,
  method: string,
  path: string,
  body: string | Uint8Array = '',
  contentType?: string,
): Promise<{ location: string | undefined }> {
  const scheme = server.caPem === undefined ? 'http' : 'https'
  const base = `${scheme}://${server.host}/v2/${repository}/`
  const url = new URL(path, base)
  const headers = {
    authorization: await authorization(server, repository),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
  }
  if (server.caPem !== undefined) return sendOverTls(server, url, { method, body, headers })
  const answer = await fetch(url, { method, headers, ...(body === '' ? {} : { body: Buffer.from(body) }) })
  if (!answer.ok) throw new Error(`${method} ${url.pathname}: HTTP ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
  return { location: answer.headers.get('location') ?? undefined }
}

function sendOverTls(
  { caPem, client }: Address,
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body: string | Uint8Array },
): Promise<{ location: string | undefined }> {
  const agent = new Agent({ ca: caPem, cert: client?.cert, key: client?.key })
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      agent,
    })
    sent.once('error', reject)
    sent.once('response', (answer) => {
      answer.resume()
      const { statusCode = 0 } = answer
      if (statusCode >= 300) reject(new Error(`${method} ${url.pathname}: HTTP ${statusCode}`))
      else resolve({ location: answer.headers.location })
    })
    sent.end(body)
  })
}

async function authorization({ tokens }: Address, repository: string): Promise<string> {
  if (tokens !== undefined) return `Bearer ${tokens.issue(repository, ['pull', 'push'])}`
  const { username, password } = REGISTRY_USER
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
