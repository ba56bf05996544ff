export { accountOfToken } from './account-of-token.ts'
export { AWS_USER, type AwsKms, startAwsKms } from './aws-kms.ts'
export { AZURE_CLIENT, type AzureKeyVault, startAzureKeyVault } from './azure-key-vault.ts'
export {
  type BinaryOptions,
  binary,
  cacheDirectory,
  ensureBinaries,
  type ToolSource,
  toolSource,
} from './binary.ts'
export { type CertificateAuthority, certificateAuthority, type KeyPair } from './certificate.ts'
export { type Child, type ChildOptions, type Exit, endedEarly, startChild } from './child.ts'
export { isCodeCommitLogin } from './cloud/aws.ts'
export { type CloudServer, type CloudServerOptions, startCloudServer } from './cloud/cloud-server.ts'
export { type ControlPlane, type ControlPlaneOptions, logFileOf, startControlPlane } from './control-plane.ts'
export { type CosignKey, newCosignKey } from './cosign.ts'
export { freePort } from './free-port.ts'
export { type GcpKms, startGcpKms } from './gcp-kms.ts'
export { git } from './git-command.ts'
export type { FileChange, GitRepo } from './git-repo.ts'
export { type GitRequest, type GitServer, type GitServerOptions, startGitServer } from './git-server.ts'
export { type Answer, type Endpoint, startEndpoint } from './http-endpoint.ts'
export { type JumpingClock, jumpingClock } from './jumping-clock.ts'
export { type Kubectl, kubectlFor, type ServiceAccountName } from './kubectl.ts'
export { type NatsOptions, type NatsServer, startNats } from './nats.ts'
export { type ProxyOptions, type ProxyServer, startProxy } from './proxy.ts'
export { commitRawTree, type RawEntry } from './raw-tree.ts'
export {
  REGISTRY_USER,
  type RegistryLayer,
  type RegistryOptions,
  type RegistryServer,
  startRegistry,
} from './registry.ts'
export type { TokenServer } from './registry-token-server.ts'
export { S3_USER, type S3Server, startS3Server } from './s3-server.ts'
export { type ServiceProcess, startService } from './service-process.ts'
export { type SharedCluster, sharedCluster, testNamespace } from './shared-cluster.ts'
export { type Sigstore, startSigstore } from './sigstore.ts'
export { newAgeKey, sopsEncrypt } from './sops.ts'
export { type ServiceOptions, spawnService } from './spawn-service.ts'
export { type SshServer, type SshServerOptions, startSshServer } from './ssh-server.ts'
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
export { type BinaryName, FLUX, FLUX_CONTROLLERS } from './tools.ts'
export { WaitTimeout, waitFor } from './wait-for.ts'
