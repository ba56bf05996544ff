export { type AwsCredentials, awsKeys } from './aws.ts'
export type { AccessToken } from './azure.ts'
export { type AzureSecret, azureCredential } from './azure-secret.ts'
export { BucketLogins } from './bucket-logins.ts'
export {
  type AwsLogin,
  CloudLogins,
  type CloudLoginsOptions,
  type CloudProvider,
  type Login,
} from './cloud-logins.ts'
export { ClusterLogins } from './cluster-logins.ts'
export type { CloudCluster, ClusterEndpoints, ClusterServer } from './clusters/cluster.ts'
export { CloudError, type CloudErrorCode } from './errors.ts'
export type { GcpEndpoints } from './gcp.ts'
export { type GitLogin, GitLogins, type GitPassword } from './git-logins.ts'
export { type RegistryLogin, RegistryLogins, type RegistryPassword } from './registry-logins.ts'
export type { Account } from './service-account.ts'
export { textWithin } from './text-within.ts'
export { orAborted } from './until-expiry.ts'
