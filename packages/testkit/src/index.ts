export {
  type BinaryOptions,
  binary,
  cacheDirectory,
  ensureBinaries,
  type ToolSource,
  toolSource,
} from './binary.ts'
export { type CertificateAuthority, certificateAuthority, type KeyPair } from './certificate.ts'
export { type Child, type ChildOptions, type Exit, startChild } from './child.ts'
export { freePort } from './free-port.ts'
export { git } from './git-command.ts'
export type { FileChange, GitRepo } from './git-repo.ts'
export { type GitRequest, type GitServer, type GitServerOptions, startGitServer } from './git-server.ts'
export { type NatsOptions, type NatsServer, startNats } from './nats.ts'
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
export type { BinaryName } from './tools.ts'
export { waitFor } from './wait-for.ts'
