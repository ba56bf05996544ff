import { createPrivateKey } from 'node:crypto'
import { SopsError } from '@setpoint/sops'
import { readMap } from '../read-map.ts'
import type { ServiceAccountKey } from './gcp-kms.ts'

/**
 * The key `sops.gcp-kms` of a decryption Secret. Other kinds of credentials are refused: they name files and addresses,
 * and so could send what this process holds to whoever wrote the Secret.
 * @throws SopsError BadKey.
 */
export function readServiceAccountKey(value: Uint8Array): ServiceAccountKey {
  const {
    type = '',
    client_email = '',
    private_key = '',
  } = readMap(value, 'JSON key of a Google service account')
  if (type !== 'service_account')
    throw new SopsError(
      'BadKey',
      'must hold credentials of type service_account; for others use spec.decryption.serviceAccountName',
    )
  if (client_email === '' || !isPrivateKey(private_key))
    throw new SopsError('BadKey', 'lacks client_email or a private_key in PEM')
  return { client_email, private_key }
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).type === 'private'
  } catch {
    return false
  }
}
