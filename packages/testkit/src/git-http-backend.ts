import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { gitEnvironment } from './git-command.ts'

/** Answers one request by the CGI program `git http-backend` for the repositories below `root`. */
export function serveGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['http-backend'], {
    env: { ...process.env, ...gitEnvironment, ...cgiVariables(root, request) },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.once('error', () => response.writeHead(500).end('cannot start git http-backend\n'))
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  response.once('close', () => child.kill())
  forwardAnswer(child.stdout, response)
}

function cgiVariables(root: string, request: IncomingMessage): Record<string, string> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  return {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: request.headers['content-length'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  }
}

/** CGI output is headers, an empty line, then the body. */
function forwardAnswer(output: Readable, response: ServerResponse): void {
  let head = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    output.off('data', onData)
    writeHead(head.toString('latin1', 0, end), response)
    response.write(head.subarray(end + 4))
    output.pipe(response)
  }
  output.on('data', onData)
  output.once('end', () => {
    if (!response.headersSent) response.writeHead(500).end('git http-backend gave no answer\n')
  })
}

function writeHead(head: string, response: ServerResponse): void {
  let status = 200
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.writeHead(status)
}
