export { transportUrl } from './address.ts'
export { displayUrl, GitError, type GitErrorCode } from './errors.ts'
export { type ApiOptions, type GitHubApp, GitHubApps } from './github-app.ts'
export { parseGitmodules, type Submodule, submoduleUrl } from './gitmodules.ts'
export { type LfsPointer, type LfsResolution, parseLfsPointer, resolveLfs } from './lfs.ts'
export { listRemote, type RemoteRef, type RemoteRefs } from './list-remote.ts'
export { type MirrorOptions, openMirror } from './mirror.ts'
export type { CommitInfo, FetchOptions, FetchResult, GitMirror, TreeEntry } from './mirror-types.ts'
export { type Push, push } from './push.ts'
export type { GitCredentials, ProxyOptions, RemoteOptions, SshCredentials } from './remote-options.ts'
export { type ReferenceSelector, type Resolved, resolveReference } from './resolve-reference.ts'
export type { SemverTag } from './semver-tags.ts'
export { compileIgnore, type Ignore, SOURCE_IGNORE } from './source-ignore.ts'
export { openTransport, type Transport } from './transport.ts'
<<<<<<< HEAD
export { type CommitAuthor, type NewCommit, type WrittenCommit, writeCommit } from './write-commit.ts'
=======
export { readSigners, type Signers, type Verified } from './verify/signers.ts'
>>>>>>> 092c98d (source: verify, include, sparseCheckout, submodules, Git LFS, GitHub Apps)
