import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { type MasterKey, SopsError } from '@setpoint/sops'
import type { Provider } from '../provider.ts'
import { gcpRefusal } from './refusal.ts'

/** The key of a Google service account, or where to get an access token. */
export type GcpIdentity = ServiceAccountKey | ((signal: AbortSignal) => Promise<GcpToken>)

export interface ServiceAccountKey {
  client_email: string
  private_key: string
}

export interface GcpToken {
  token: string
  /** Milliseconds since the epoch. */
  expiresAt: number
}

export interface GcpOptions {
  /** Where Cloud KMS is: a private endpoint. Default `https://cloudkms.googleapis.com`. */
  endpoint?: string | undefined
}

const RESOURCE = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/

/** Keys of Google Cloud KMS. */
export function gcpKms(identity: GcpIdentity, { endpoint }: GcpOptions = {}): Provider {
  const url = new URL(endpoint ?? 'https://cloudkms.googleapis.com')
  // As long as a build.
  let client: Promise<KeyManagementServiceClient> | undefined
  return {
    kind: 'gcp_kms',
    serverOf: (key) => {
      nameOf(key)
      return url.host
    },
    decrypt: async (key, signal) => {
      client ??= openClient(identity, url, signal)
      const request = { name: nameOf(key), ciphertext: Buffer.from(key.encrypted, 'base64') }
      const [{ plaintext }] = await (await client).decrypt(request, { timeout: 10_000 })
      return Buffer.from((plaintext ?? '') as string, 'base64')
    },
    refusal: gcpRefusal,
  }
}

function nameOf({ fields }: MasterKey): string {
  const { resource_id = '' } = fields
  if (RESOURCE.test(resource_id)) return resource_id
  throw new SopsError('BadFile', 'is no resource name of a key of Google Cloud KMS')
}

async function openClient(
  identity: GcpIdentity,
  { hostname, port, protocol }: URL,
  signal: AbortSignal,
): Promise<KeyManagementServiceClient> {
  const { KeyManagementServiceClient: Client } = await import('@google-cloud/kms')
  const auth =
    typeof identity === 'function' ? await tokenAuth(await identity(signal)) : { credentials: identity }
  // Over HTTP: gRPC would cost 20 MiB more.
  return new Client({
    ...auth,
    fallback: true,
    apiEndpoint: hostname,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    protocol: protocol.slice(0, -1),
  })
}

async function tokenAuth({ token, expiresAt }: GcpToken) {
  const { OAuth2Client } = await import('google-auth-library')
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: token, expiry_date: expiresAt })
  return { authClient }
}
