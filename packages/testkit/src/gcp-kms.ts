import { createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { startEndpoint } from './http-endpoint.ts'

/** An endpoint that speaks as much of Google Cloud KMS over HTTP as sops uses. What it calls encryption is base64. */
export interface GcpKms extends AsyncDisposable {
  url: string
  /** The resource name of a key that may be used, and of one that may not. */
  key: string
  forbiddenKey: string
  /** An access token that it takes. */
  token: string
  /** The JSON key of a service account that it takes. */
  serviceAccountKey: string
}

const KEYS = 'projects/fleet/locations/global/keyRings/sops/cryptoKeys'

export async function startGcpKms(): Promise<GcpKms> {
  const email = 'reader@fleet.iam.gserviceaccount.com'
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const token = 'ya29.correct-horse'
  const endpoint = await startEndpoint(({ url = '', headers }, body) => {
    const [, name = '', action] = /^\/v1\/([^:]+):(encrypt|decrypt)/.exec(url) ?? []
    const bearer = headers.authorization?.replace(/^Bearer /, '') ?? ''
    if (bearer !== token && !isSignedBy(bearer, publicKey, email))
      return failure(401, 'UNAUTHENTICATED', `invalid credentials: ${bearer}`)
    const request = JSON.parse(body) as { plaintext?: string; ciphertext?: string }
    if (action === 'encrypt') return { body: { name, ciphertext: wrap(name, request.plaintext ?? '') } }
    if (name === `${KEYS}/forbidden`) return failure(403, 'PERMISSION_DENIED', 'no')
    const plaintext = unwrap(name, request.ciphertext ?? '')
    return plaintext === undefined ? failure(400, 'INVALID_ARGUMENT', 'no') : { body: { plaintext } }
  })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  return {
    url: `http://127.0.0.1:${endpoint.port}`,
    key: `${KEYS}/fleet`,
    forbiddenKey: `${KEYS}/forbidden`,
    token,
    serviceAccountKey: JSON.stringify({ type: 'service_account', client_email: email, private_key: pem }),
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  }
}

const wrap = (name: string, plaintext: string): string =>
  Buffer.from(`${name} ${plaintext}`).toString('base64')

function unwrap(name: string, ciphertext: string): string | undefined {
  const [by, plaintext] = Buffer.from(ciphertext, 'base64').toString().split(' ')
  return by === name ? plaintext : undefined
}

function failure(status: number, name: string, message: string) {
  return { status, body: { error: { code: status, status: name, message } } }
}

/** A token that a service account makes for itself. */
function isSignedBy(jwt: string, key: KeyObject, email: string): boolean {
  const [head = '', claims = '', signature = ''] = jwt.split('.')
  if (signature === '') return false
  const { iss } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iss?: string }
  return (
    iss === email &&
    createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(key, signature, 'base64url')
  )
}
