export { displayUrl, GitError, type GitErrorCode, isNotGiven } from './errors.ts'
export type { RemoteRef } from './fetch/advertisement.ts'
export { type ApiOptions, type GitHubApp, GitHubApps } from './github-app.ts'
export { parseGitmodules, type Submodule, submoduleUrl } from './gitmodules.ts'
export { type LfsPointer, type LfsResolution, parseLfsPointer, resolveLfs } from './lfs.ts'
export { listRemote, type RemoteRefs } from './list-remote.ts'
export { type MirrorOptions, openMirror } from './mirror.ts'
export type {
  CommitInfo,
  FetchOptions,
  FetchResult,
  GitMirror,
  TreeChanges,
  TreeEntry,
} from './mirror-types.ts'
export { DEFAULT_PACK_LIMITS, type PackLimits } from './pack/limits.ts'
export { EMPTY_PACK, type Push, push } from './push.ts'
export type { GitCredentials, ProxyOptions, RemoteOptions, SshCredentials } from './remote-options.ts'
export { type ReferenceSelector, type Resolved, resolveReference } from './resolve-reference.ts'
export type { SemverTag } from './semver-tags.ts'
export { type CommitSigner, openpgpSigner, sshSigner } from './sign-commit.ts'
export { compileIgnore, type Ignore, SOURCE_IGNORE } from './source-ignore.ts'
export { readSigners, type Signers, type Verified } from './verify/signers.ts'
export { type CommitAuthor, type NewCommit, type WrittenCommit, writeCommit } from './write-commit.ts'
