import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { type MasterKey, SopsError } from '@setpoint/sops'
import type { AuthClient } from 'google-auth-library'
import type { Provider } from '../provider.ts'
import { gcpRefusal } from './refusal.ts'

/** The key of a Google service account, or where to get an access token. */
export type GcpIdentity = ServiceAccountKey | ((signal: AbortSignal) => Promise<string>)

export interface ServiceAccountKey {
  client_email: string
  private_key: string
}

export interface GcpOptions {
  /** Where Cloud KMS is: a private endpoint. Default `https://cloudkms.googleapis.com`. */
  endpoint?: string | undefined
}

/** A moment's absence is bridged; a longer one is told. */
const CALL = {
  timeout: 8_000,
  retry: {
    retryCodes: [14],
    backoffSettings: {
      initialRetryDelayMillis: 200,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 1_000,
      initialRpcTimeoutMillis: 4_000,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: 4_000,
      totalTimeoutMillis: 2_000,
    },
  },
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
    load: () => Promise.all([import('@google-cloud/kms'), import('google-auth-library')]),
    decrypt: async (key, signal) => {
      client ??= openClient(identity, url, signal)
      const request = { name: nameOf(key), ciphertext: Buffer.from(key.encrypted, 'base64') }
      const [{ plaintext }] = await (await client).decrypt(request, CALL)
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
  // Over HTTP: gRPC would cost 20 MiB more.
  return new Client({
    authClient: await authOf(identity, signal),
    fallback: true,
    apiEndpoint: hostname,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    protocol: protocol.slice(0, -1),
  })
}

async function authOf(identity: GcpIdentity, signal: AbortSignal): Promise<AuthClient> {
  const { JWT, OAuth2Client } = await import('google-auth-library')
  if (typeof identity === 'function') {
    const client = new OAuth2Client()
    client.setCredentials({ access_token: await identity(signal) })
    return client
  }
  const { client_email: email, private_key: key } = identity
  const client = new JWT({ email, key, scopes: ['https://www.googleapis.com/auth/cloudkms'] })
  // Signs its tokens itself: nobody else has to be asked.
  client.useJWTAccessWithScope = true
  return client
}
