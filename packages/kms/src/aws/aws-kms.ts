import type { KMSClient } from '@aws-sdk/client-kms'
import { awsKeys } from '@setpoint/cloud'
import { type MasterKey, SopsError } from '@setpoint/sops'
import type { Provider } from '../provider.ts'
import { awsRefusal, isAwsAnswer } from './refusal.ts'

/** Who asks: keys, or where to get some for a region. */
export type AwsIdentity = AwsKeys | ((region: string, signal: AbortSignal) => Promise<AwsKeys>)

export interface AwsKeys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

const ARN = /^arn:aws[\w-]*:kms:([a-z0-9-]+):[0-9]+:(?:key|alias)\/.+$/

/** Keys of AWS KMS, with the role and the encryption context that the file names. */
export function awsKms(identity: AwsIdentity): Provider {
  // As long as a build: a role is assumed once, not for each file.
  const clients = new Map<string, Promise<KMSClient>>()
  const clientOf = (key: MasterKey, signal: AbortSignal) => {
    const { role = '' } = key.fields
    const id = `${regionOf(key)} ${role}`
    const client = clients.get(id) ?? openClient(regionOf(key), role, identity, signal)
    clients.set(id, client)
    return client
  }
  return {
    kind: 'kms',
    serverOf: (key) => `AWS KMS in ${regionOf(key)}`,
    load: () => import('@aws-sdk/client-kms'),
    decrypt: async (key, signal) => {
      const [client, { DecryptCommand }] = await Promise.all([
        clientOf(key, signal),
        import('@aws-sdk/client-kms'),
      ])
      const command = new DecryptCommand({
        KeyId: key.fields.arn,
        CiphertextBlob: Buffer.from(key.encrypted, 'base64'),
        ...(key.context === undefined ? {} : { EncryptionContext: { ...key.context } }),
      })
      const { Plaintext } = await client.send(command, { abortSignal: signal })
      return Plaintext ?? new Uint8Array()
    },
    refusal: awsRefusal,
  }
}

function regionOf({ fields }: MasterKey): string {
  const region = ARN.exec(fields.arn ?? '')?.[1]
  if (region === undefined) throw new SopsError('BadFile', 'is no ARN of a key of AWS KMS')
  return region
}

async function openClient(
  region: string,
  role: string,
  identity: AwsIdentity,
  signal: AbortSignal,
): Promise<KMSClient> {
  const { KMSClient: Client } = await import('@aws-sdk/client-kms')
  const { Agent } = await import('node:https')
  const keys = typeof identity === 'function' ? await identity(region, signal) : identity
  const credentials = role === '' ? keys : await assumeRole(region, role, keys, signal)
  // Connections close by themselves soon after the build.
  const httpsAgent = new Agent({ keepAlive: true, timeout: 5_000 })
  return new Client({ region, credentials: awsKeys(credentials), requestHandler: { httpsAgent } })
}

async function assumeRole(
  region: string,
  role: string,
  credentials: AwsKeys,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts')
  const client = new STSClient({ region, credentials: awsKeys(credentials) })
  try {
    const command = new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'sops@setpoint' })
    const { Credentials: keys } = await client.send(command, { abortSignal: signal })
    return {
      accessKeyId: keys?.AccessKeyId ?? '',
      secretAccessKey: keys?.SecretAccessKey ?? '',
      sessionToken: keys?.SessionToken ?? '',
    }
  } catch (error) {
    if (!isAwsAnswer(error)) throw error
    throw new SopsError('NoKey', `needs the role ${role}, which may not be assumed: ${error.name}`)
  } finally {
    client.destroy()
  }
}
