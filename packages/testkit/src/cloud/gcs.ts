import { verify } from 'node:crypto'
import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

const OBJECTS = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/

/** The part of the JSON API of Google Cloud Storage that reads: listing a bucket, and getting an object. */
export async function answerGcs(state: CloudState, request: CloudRequest): Promise<CloudAnswer | undefined> {
  const [, bucket, key] = OBJECTS.exec(request.path) ?? []
  if (request.host !== 'storage.googleapis.com' || bucket === undefined) return undefined
  const how = whoAsks(state, request)
  if (how === undefined) return jsonError(401, 'authError')
  state.asked.push(`gcs by ${how}`)
  return key === undefined
    ? list(state, bucket, request.query)
    : read(state, bucket, decodeURIComponent(key), request.query.get('generation'))
}

function whoAsks({ secret, serviceAccount }: CloudState, { headers }: CloudRequest): string | undefined {
  const token = headers.authorization?.replace(/^Bearer /, '')
  if (token !== undefined && token === secret) return 'token'
  const [head = '', payload = '', signature = ''] = token?.split('.') ?? []
  if (serviceAccount === undefined || signature === '') return undefined
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${payload}`),
    serviceAccount.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  const isAllowed = String(claims.scope).includes('https://www.googleapis.com/auth/cloud-platform')
  return isSigned && isAllowed && claims.iss === serviceAccount.email ? 'service account' : undefined
}

function list(state: CloudState, bucket: string, query: URLSearchParams): CloudAnswer {
  const page = state.gcs.page(bucket, query.get('prefix') ?? '', query.get('pageToken') ?? '')
  if (page === undefined) return jsonError(404, 'notFound')
  const items = page.found.map(({ key, etag, content, generation }) => ({
    name: key,
    etag,
    size: String(Buffer.byteLength(content)),
    generation: String(generation),
  }))
  return { status: 200, body: { items, ...(page.next === undefined ? {} : { nextPageToken: page.next }) } }
}

function read(state: CloudState, bucket: string, key: string, generation: string | null): CloudAnswer {
  const found = state.gcs.get(bucket, key)
  if (found === undefined || (generation !== null && generation !== String(found.generation)))
    return jsonError(404, 'notFound')
  return { status: 200, body: found.content, headers: { etag: 'of the download' } }
}

function jsonError(status: number, reason: string): CloudAnswer {
  return { status, body: { error: { code: status, errors: [{ reason }] } } }
}
