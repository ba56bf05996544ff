import type { GitLogins } from '@setpoint/cloud'
import type { GitRepository } from '@setpoint/contracts'
import type { GitHubApps, GitMirror } from '@setpoint/git'
import type { SourceContext, Task } from '../context.ts'
import type { Known } from '../known.ts'
import type { Listings } from './listings.ts'

/** What GitRepositories are reconciled with besides. */
export interface GitParts {
  githubApps: GitHubApps
  gitLogins: GitLogins
  listings: Listings
  /** The copies of repositories that are open, with the URL that each is of. */
  mirrors: WeakMap<Known, { url: string; mirror: GitMirror }>
}

export type GitContext = SourceContext<GitRepository> & GitParts
export type GitTask = Task<GitRepository>
