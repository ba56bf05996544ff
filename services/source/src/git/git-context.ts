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
  /** The copies of repositories that are open. */
  mirrors: WeakMap<Known, OpenMirror>
}

/** A copy, and what it was opened for. */
export interface OpenMirror {
  url: string
  isSparse: boolean
  mirror: GitMirror
}

export type GitContext = SourceContext<GitRepository> & GitParts
export type GitTask = Task<GitRepository>
