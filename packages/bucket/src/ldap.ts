import { childrenOf, rootOf, textOf } from './xml.ts'

/** Credentials for a while. */
export interface TemporaryCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  /** Milliseconds since the epoch; NaN when the server does not say. */
  expiresAt: number
}

/** What a server with the S3 API, such as MinIO, is asked for by a user of its LDAP directory. */
export function ldapRequest({ username, password }: { username: string; password: string }): string {
  return new URLSearchParams({
    Action: 'AssumeRoleWithLDAPIdentity',
    Version: '2011-06-15',
    LDAPUsername: username,
    LDAPPassword: password,
  }).toString()
}

/** Undefined when the answer holds none. */
export function readLdapAnswer(body: Buffer): TemporaryCredentials | undefined {
  const [result] = childrenOf(rootOf(body), 'AssumeRoleWithLDAPIdentityResult')
  const [found] = childrenOf(result, 'Credentials')
  const [accessKeyId, secretAccessKey] = [textOf(found, 'AccessKeyId'), textOf(found, 'SecretAccessKey')]
  if (accessKeyId === '' || secretAccessKey === '') return undefined
  const sessionToken = textOf(found, 'SessionToken')
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt: Date.parse(textOf(found, 'Expiration')) }
}
