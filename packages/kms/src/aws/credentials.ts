import { SopsError } from '@setpoint/sops'
import { readMap } from '../read-map.ts'
import type { AwsKeys } from './aws-kms.ts'

/** The key `sops.aws-kms` of a decryption Secret. @throws SopsError BadKey. */
export function readAwsKeys(value: Uint8Array): AwsKeys {
  const {
    aws_access_key_id: accessKeyId = '',
    aws_secret_access_key: secretAccessKey = '',
    aws_session_token: sessionToken = '',
  } = readMap(value, 'YAML map with aws_access_key_id and aws_secret_access_key')
  if (accessKeyId === '' || secretAccessKey === '')
    throw new SopsError('BadKey', 'lacks aws_access_key_id or aws_secret_access_key')
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) }
}
