import type { IncomingMessage, ServerResponse } from 'node:http'

/** True for a request of the batch API, or of a file that it named. */
export function isLfs({ url = '' }: IncomingMessage): boolean {
  return /\/info\/lfs\//.test(url)
}

/** Answers by the batch API of Git LFS, downloads only. */
export async function serveLfs(
  files: ReadonlyMap<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { url = '', headers } = request
  if (!url.endsWith('/objects/batch')) {
    const file = files.get(url.slice(url.lastIndexOf('/') + 1))
    response.writeHead(file === undefined ? 404 : 200).end(file)
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { objects } = JSON.parse(Buffer.concat(chunks).toString()) as {
    objects: { oid: string; size: number }[]
  }
  const place = (oid: string) => `http://${headers.host}${url.replace('/objects/batch', '')}/files/${oid}`
  const header = headers.authorization === undefined ? {} : { Authorization: headers.authorization }
  const answers = objects.map(({ oid, size }) =>
    files.has(oid)
      ? { oid, size, actions: { download: { href: place(oid), header } } }
      : { oid, size, error: { code: 404, message: 'Object does not exist' } },
  )
  response.setHeader('content-type', 'application/vnd.git-lfs+json')
  response.end(JSON.stringify({ transfer: 'basic', objects: answers }))
}
