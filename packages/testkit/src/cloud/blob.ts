import { createHmac } from 'node:crypto'
import type { CloudAnswer, CloudRequest, CloudState } from './cloud-server.ts'

const HOST = '.blob.core.windows.net'

/** The part of Azure Blob Storage that reads: listing a container, and getting a blob. */
export async function answerBlob(state: CloudState, request: CloudRequest): Promise<CloudAnswer | undefined> {
  if (!request.host.endsWith(HOST)) return undefined
  const how = whoAsks(state, request)
  if (how === undefined) return xmlError(403, 'AuthenticationFailed')
  state.asked.push(`blob by ${how}`)
  const [, container = '', ...rest] = request.path.split('/').map(decodeURIComponent)
  return request.query.get('comp') === 'list'
    ? list(state, container, request.query)
    : read(state, container, rest.join('/'))
}

function whoAsks(state: CloudState, request: CloudRequest): string | undefined {
  const { authorization = '' } = request.headers
  if (request.headers['x-ms-version'] === undefined) return undefined
  if (authorization === `Bearer ${state.secret}`) return 'token'
  if (request.query.get('sig') === state.secret) return 'sas'
  return authorization === sharedKey(state, request) ? 'key' : undefined
}

/** As the documentation of Shared Key puts it together, for a request without a body. */
function sharedKey(state: CloudState, { host, path, query, headers }: CloudRequest): string {
  const account = host.slice(0, -HOST.length)
  const own = Object.keys(headers).filter((name) => name.startsWith('x-ms-'))
  const text = [
    `GET${'\n'.repeat(11)}`,
    ...own.sort().map((name) => `${name}:${headers[name]}`),
    `/${account}${path}`,
    ...[...query].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}`),
  ].join('\n')
  const key = Buffer.from(state.secret ?? '', 'utf8')
  return `SharedKey ${account}:${createHmac('sha256', key).update(text).digest('base64')}`
}

function list(state: CloudState, container: string, query: URLSearchParams): CloudAnswer {
  const page = state.blobs.page(container, query.get('prefix') ?? '', query.get('marker') ?? '')
  if (page === undefined) return xmlError(404, 'ContainerNotFound')
  const blobs = page.found.map(
    ({ key, etag, content }) =>
      `<Blob><Name>${escaped(key)}</Name><Properties><Etag>${etag}</Etag><Content-Length>${Buffer.byteLength(content)}</Content-Length></Properties></Blob>`,
  )
  const next = page.next === undefined ? '<NextMarker />' : `<NextMarker>${escaped(page.next)}</NextMarker>`
  return {
    status: 200,
    body: `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>${blobs.join('')}</Blobs>${next}</EnumerationResults>`,
  }
}

function read(state: CloudState, container: string, key: string): CloudAnswer {
  const found = state.blobs.get(container, key)
  if (found === undefined) return xmlError(404, 'BlobNotFound')
  return { status: 200, body: found.content, headers: { etag: `"${found.etag}"` } }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function xmlError(status: number, code: string): CloudAnswer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` }
}
