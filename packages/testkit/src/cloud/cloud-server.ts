import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { certificateAuthority } from '../certificate.ts'
import { answerAcr } from './acr.ts'
import { answerAws } from './aws.ts'
import { answerAzure } from './azure.ts'
import { answerBlob } from './blob.ts'
import { answerGcp } from './gcp.ts'
import { answerGcs } from './gcs.ts'
import { ObjectStore } from './store.ts'

/** What a request asks for, without its transport. */
export interface CloudRequest {
  method: string
  /** Name without port. */
  host: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: string
}

export interface CloudAnswer {
  status: number
  body: string | object | Buffer
  headers?: Record<string, string | string[]>
}

/** What the servers of a cloud do with each other. */
export interface CloudState {
  /** Lines such as `sts AssumeRoleWithWebIdentity`, oldest first. */
  asked: string[]
  /** How long what they give out lasts; seconds. */
  lifeSeconds: number
  /** What they give out where a client must show it to a server of ours; a made-up secret otherwise. */
  secret: string | undefined
  /** The registry behind `*.azurecr.io`, which is what `host` and `caPem` say. */
  registry: { host: string; caPem?: string } | undefined
  /** What is in Azure Blob Storage, and in Google Cloud Storage. */
  blobs: ObjectStore
  gcs: ObjectStore
  /** The Google service account whose own tokens Google Cloud Storage takes. */
  serviceAccount: { email: string; publicKey: string } | undefined
  /** Whose token this is, if it is for the audience. */
  whoIs(token: string, audience: string): Promise<string | undefined>
}

export interface CloudServerOptions
  extends Partial<Pick<CloudState, 'lifeSeconds' | 'secret' | 'registry' | 'serviceAccount' | 'whoIs'>> {
  /** Further names that its certificate is for. */
  names?: string[]
}

/** The token services of AWS, Azure and Google Cloud, on 127.0.0.1, as far as logins need them. */
export interface CloudServer extends AsyncDisposable {
  state: CloudState
  /** `http://127.0.0.1:PORT`. */
  http: string
  /** `https://localhost:PORT`. */
  https: string
  /** The authority to trust for https. */
  caPem: string
  /** What makes the SDKs of AWS and Google ask here, and where those of all clouds look for the identity of the pod. */
  environment: { aws: Record<string, string>; azure: Record<string, string>; gcp: Record<string, string> }
}

/** Starts it. It speaks what the clouds document; nothing of the clouds themselves is in it. */
export async function startCloudServer(options: CloudServerOptions = {}): Promise<CloudServer> {
  const state: CloudState = {
    asked: [],
    lifeSeconds: options.lifeSeconds ?? 3600,
    secret: options.secret,
    registry: options.registry,
    blobs: new ObjectStore(),
    gcs: new ObjectStore(),
    serviceAccount: options.serviceAccount,
    whoIs: options.whoIs ?? (async () => undefined),
  }
  const authority = certificateAuthority('cloud')
  const pair = authority.issue({
    commonName: 'localhost',
    server: ['localhost', '127.0.0.1', ...(options.names ?? [])],
  })
  const listener = listen(state)
  const [plain, secure] = [createHttpServer(listener), createHttpsServer(pair, listener)]
  for (const server of [plain, secure])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const portOf = (server: typeof plain | typeof secure) => (server.address() as AddressInfo).port
  const [http, https] = [`http://127.0.0.1:${portOf(plain)}`, `https://localhost:${portOf(secure)}`]
  return {
    state,
    http,
    https,
    caPem: authority.pem,
    environment: environmentOf(http, https),
    async [Symbol.asyncDispose]() {
      for (const server of [plain, secure]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

function environmentOf(http: string, https: string): CloudServer['environment'] {
  return {
    aws: {
      AWS_ENDPOINT_URL: http,
      AWS_REGION: 'us-east-1',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${http}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod',
    },
    azure: {
      AZURE_AUTHORITY_HOST: https,
      AZURE_TENANT_ID: '11111111-1111-1111-1111-111111111111',
      AZURE_CLIENT_ID: '22222222-2222-2222-2222-222222222222',
      AZURE_CLIENT_SECRET: 'of-the-pod',
      AZURE_TOKEN_CREDENTIALS: 'prod',
    },
    gcp: { GCE_METADATA_HOST: new URL(http).host, METADATA_SERVER_DETECTION: 'assume-present' },
  }
}

const MAX_BODY_BYTES = 1024 * 1024

function listen(state: CloudState): RequestListener {
  return async (incoming, response) => {
    const request = await readRequest(incoming)
    const answer = (await answerAcr(state, request)) ??
      (await answerBlob(state, request)) ??
      (await answerGcs(state, request)) ??
      (await answerAws(state, request)) ??
      (await answerAzure(state, request)) ??
      (await answerGcp(state, request)) ?? { status: 404, body: `nothing is known of ${request.path}` }
    const isText = typeof answer.body === 'string'
    response.writeHead(answer.status, {
      'content-type': isText ? 'text/xml' : 'application/json',
      ...answer.headers,
    })
    const isReady = isText || Buffer.isBuffer(answer.body)
    response.end(isReady ? answer.body : JSON.stringify(answer.body))
  }
}

async function readRequest(incoming: IncomingMessage): Promise<CloudRequest> {
  let body = ''
  for await (const chunk of incoming) {
    body += chunk
    if (body.length > MAX_BODY_BYTES) throw new Error('a request is too large')
  }
  const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? 'localhost'}`)
  return {
    method: incoming.method ?? 'GET',
    host: url.hostname,
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
  }
}
