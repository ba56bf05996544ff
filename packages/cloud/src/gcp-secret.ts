import { CloudError, loginFailed } from './errors.ts'
import { GCP_SCOPES } from './gcp.ts'

/**
 * A token that a Google service account signs itself with its key: no server is asked, whatever the JSON of the key names.
 * @throws CloudError InvalidAccount when it is no key of a service account
 */
export async function gcpTokenBy(keyJson: string): Promise<string> {
  const { email, key, keyId } = readKey(keyJson)
  const { JWT } = await import('google-auth-library')
  try {
    const client = new JWT({ email, key, keyId, scopes: [...GCP_SCOPES] })
    client.useJWTAccessWithScope = true
    const headers = await client.getRequestHeaders()
    return headers.get('authorization')?.replace(/^Bearer /, '') ?? ''
  } catch (cause) {
    throw loginFailed(`the key of the Google service account ${email} cannot be used`, cause)
  }
}

function readKey(keyJson: string): { email: string; key: string; keyId: string } {
  const found = parse(keyJson)
  const text = (name: string) => (typeof found[name] === 'string' ? found[name] : '')
  const [email, key, keyId] = [text('client_email'), text('private_key'), text('private_key_id')]
  if (text('type') === 'service_account' && email !== '' && key !== '') return { email, key, keyId }
  throw new CloudError(
    'InvalidAccount',
    'it is no key of a Google service account: JSON with type service_account, client_email and private_key',
  )
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
