import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { binary } from './binary.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const run = promisify(execFile)

/** A Sigstore of its own: who signs there needs no key, but an identity. */
export interface Sigstore extends AsyncDisposable {
  /** `trusted_root.json`: its authority of certificates and its logs. */
  trustedRoot: string
  /**
   * Signs what a digest stands for with the real cosign, as somebody whom an issuer of identities knows.
   * @param form how newer versions write it (bundle), or older ones (payload)
   */
  sign(image: string, as: { email: string; issuer: string }, form: 'bundle' | 'payload'): Promise<void>
}

/** An answer of the servers of Sigstore's own project for tests. */
interface Handler {
  path: string
  fn(body: string): Promise<{ statusCode: number; response: string | ArrayBufferView; contentType?: string }>
}

const CERTIFICATES = '/api/v2/signingCert'
const ENTRIES = '/api/v1/log/entries'
const START = '2020-01-01T00:00:00Z'

/** Starts an authority of certificates and a transparency log, with the library that Sigstore is tested with. */
export async function startSigstore(): Promise<Sigstore> {
  const { default: parts } = await import('@sigstore/mock')
  const home = await temporaryDirectory('sigstore')
  const handlers: Handler[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const handler = handlers.find(({ path }) => path === request.url)
    if (handler === undefined) return response.writeHead(404).end()
    if (request.url === CERTIFICATES) body = withToken(body, request.headers.authorization ?? '')
    if (request.url === ENTRIES) body = asStored(body)
    const answer = await handler.fn(body)
    const text = Buffer.from(answer.response as string)
    const entry = request.url === ENTRIES ? Object.keys(JSON.parse(text.toString()))[0] : undefined
    response.writeHead(request.url === CERTIFICATES && answer.statusCode === 201 ? 200 : answer.statusCode, {
      'content-type': answer.contentType ?? 'text/plain',
      ...(entry === undefined ? {} : { etag: entry, location: `${ENTRIES}/${entry}` }),
    })
    return response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ctLog = await parts.initializeCTLog(keys())
  const authority = await parts.initializeCA(keys(), ctLog)
  const log = await parts.initializeTLog(url, keys())
  handlers.push(parts.fulcioHandler(authority, { subjectClaim: 'email' }), parts.rekorHandler(log))
  const trustedRoot = JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(url, log.publicKey)],
    ctlogs: [logOf(url, ctLog.publicKey)],
    timestampAuthorities: [],
    certificateAuthorities: [
      {
        subject: { organization: 'test', commonName: 'test' },
        uri: url,
        certChain: { certificates: [{ rawBytes: base64(authority.rootCertificate) }] },
        validFor: { start: START },
      },
    ],
  })
  const files = { root: join(home.path, 'root.json'), config: join(home.path, 'config.json') }
  await writeFile(files.root, trustedRoot)
  await writeFile(files.config, JSON.stringify(signingConfig(url)))
  return {
    trustedRoot,
    sign: async (image, as, form) => {
      const how =
        form === 'bundle'
          ? ['--new-bundle-format=true', `--signing-config=${files.config}`]
          : [
              '--new-bundle-format=false',
              '--use-signing-config=false',
              `--fulcio-url=${url}`,
              `--rekor-url=${url}`,
            ]
      const flags = ['--yes', '--allow-http-registry', `--trusted-root=${files.root}`, ...how]
      const options = { cwd: home.path, env: { ...process.env, HOME: home.path } }
      await run(await binary('cosign'), ['sign', ...flags, `--identity-token=${tokenOf(as)}`, image], options)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await home[Symbol.asyncDispose]()
    },
  }
}

/** cosign sends the token in a header; the library looks for it in the body. */
function withToken(body: string, authorization: string): string {
  const credentials = { oidcIdentityToken: authorization.replace(/^Bearer /, '') }
  return JSON.stringify({ credentials, ...JSON.parse(body) })
}

/** The library logs what is proposed. A real log keeps of an envelope what proves it: hashes, signature and certificate. */
function asStored(body: string): string {
  const entry = JSON.parse(body) as {
    kind: string
    spec: { proposedContent?: { envelope: string; verifiers: string[] } }
  }
  const { proposedContent } = entry.spec
  if (proposedContent === undefined) return body
  const { payload, signatures } = JSON.parse(proposedContent.envelope) as {
    payload: string
    signatures: { sig: string }[]
  }
  const hashOf = (bytes: string | Buffer) => ({
    algorithm: 'sha256',
    value: createHash('sha256').update(bytes).digest('hex'),
  })
  const spec = {
    envelopeHash: hashOf(proposedContent.envelope),
    payloadHash: hashOf(Buffer.from(payload, 'base64')),
    signatures: signatures.map(({ sig }, at) => ({
      signature: sig,
      verifier: proposedContent.verifiers[at],
    })),
  }
  return JSON.stringify({ ...entry, spec })
}

function logOf(baseUrl: string, publicKey: Buffer) {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: base64(publicKey),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: START },
    },
    logId: { keyId: createHash('sha256').update(publicKey).digest('base64') },
  }
}

function signingConfig(url: string) {
  const services = [{ url, majorApiVersion: 1, validFor: { start: START }, operator: 'test' }]
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: services,
    oidcUrls: services,
    rekorTlogUrls: services,
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [],
    tsaConfig: { selector: 'ANY' },
  }
}

/** Nobody checks who signed it: the authority is ours. */
function tokenOf({ email, issuer }: { email: string; issuer: string }): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer,
    aud: 'sigstore',
    sub: email,
    email,
    email_verified: true,
    iat: now,
    exp: now + 600,
  }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.${encode({})}`
}

function base64(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
