import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { binary } from './binary.ts'
import { certificateAuthority } from './certificate.ts'
import { endedEarly, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { connects } from './port-probe.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

/** The user that an S3 server knows. */
export const S3_USER = { accessKeyId: 'ada', secretAccessKey: 'correct-horse' } as const

/** A running S3 server, with an empty store in memory. */
export interface S3Server extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  endpoint: string
  /** The authority to trust, when it serves TLS. */
  caPem?: string
  createBucket(name: string): Promise<void>
  put(bucket: string, key: string, content: string | Uint8Array): Promise<void>
  delete(bucket: string, key: string): Promise<void>
  /** SIGKILL: what it holds is lost. */
  kill(): Promise<void>
}

/**
 * Starts the S3 server of rclone on 127.0.0.1. anonymous: everybody may do everything. names: further ones that it
 * answers to, with TLS. accessKeyId: another than that of S3_USER, with the same secret.
 */
export async function startS3Server(
  options: { tls?: boolean; anonymous?: boolean; names?: string[]; accessKeyId?: string } = {},
): Promise<S3Server> {
  const program = await binary('s3-server')
  const user = { ...S3_USER, accessKeyId: options.accessKeyId ?? S3_USER.accessKeyId }
  const stack = new AsyncDisposableStack()
  const home = stack.use(await temporaryDirectory('s3')).path
  const port = await freePort()
  const authority = options.tls ? certificateAuthority('s3') : undefined
  const pair = authority?.issue({
    commonName: '127.0.0.1',
    server: ['127.0.0.1', 'localhost', ...(options.names ?? [])],
  })
  const [certFile, keyFile] = [join(home, 'tls.crt'), join(home, 'tls.key')]
  if (pair !== undefined) {
    await writeFile(certFile, pair.cert)
    await writeFile(keyFile, pair.key)
  }
  const child = await startChild('s3-server', program, [
    `--addr=127.0.0.1:${port}`,
    ...(options.anonymous
      ? []
      : [`--access-key=${user.accessKeyId}`, `--secret-key=${user.secretAccessKey}`]),
    ...(pair === undefined ? [] : [`--cert=${certFile}`, `--key=${keyFile}`]),
  ])
  stack.defer(() => child.kill())
  const ended = child.exited.then((exit) => Promise.reject(endedEarly(child, exit)))
  ended.catch(() => undefined)
  await Promise.race([
    waitFor('the S3 server takes connections', () => connects(port), { intervalMs: 20 }),
    ended,
  ])
  const client = new AwsClient({ ...user, service: 's3', region: 'us-east-1' })
  const base = `${authority === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const send = async (method: string, path: string, content?: string | Uint8Array) => {
    const body = content === undefined ? undefined : Buffer.from(content)
    const signed = await client.sign(`${base}/${path}`, { method, ...(body === undefined ? {} : { body }) })
    const status = await sendSigned(signed, body, authority?.pem)
    if (status >= 300) throw new Error(`${method} ${path}: HTTP ${status}`)
  }
  const pathOf = (bucket: string, key: string) =>
    [bucket, ...key.split('/').map((part) => encodeURIComponent(part))].join('/')
  return {
    endpoint: `127.0.0.1:${port}`,
    ...(authority === undefined ? {} : { caPem: authority.pem }),
    createBucket: (name) => send('PUT', name),
    put: (bucket, key, content) => send('PUT', pathOf(bucket, key), content),
    delete: (bucket, key) => send('DELETE', pathOf(bucket, key)),
    kill: () => child.kill(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function sendSigned(
  { method, url, headers }: Request,
  body: Buffer | undefined,
  caPem: string | undefined,
): Promise<number> {
  if (caPem === undefined) {
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    })
    await answer.arrayBuffer()
    return answer.status
  }
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, headers: Object.fromEntries(headers), agent: new Agent({ ca: caPem }) },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
