import { type CloudLogins, GitLogins } from '@setpoint/cloud'
import { GIT_REPOSITORY, type GitRepository } from '@setpoint/contracts'
import { GitHubApps } from '@setpoint/git'
import type { SourceContext } from '../context.ts'
import type { Fetched, SourceKind } from '../source-kind.ts'
import type { SourceState } from '../state.ts'
import type { Made } from '../status.ts'
import { fetchTree, isNews, resolveTarget } from './fetch.ts'
import type { GitParts, GitTask } from './git-context.ts'
import { includes } from './include.ts'
import { type ListingOptions, Listings } from './listings.ts'
import { readRecipe } from './recipe.ts'
import { readRemote } from './remote.ts'

/** GitRepositories: the files of a commit. */
export class GitKind implements SourceKind<GitRepository> {
  readonly gvk = GIT_REPOSITORY
  readonly directory = 'repositories'
  private readonly parts: GitParts

  constructor(options: ListingOptions & { clouds: CloudLogins }) {
    this.parts = {
      githubApps: new GitHubApps(options.now),
      gitLogins: new GitLogins(options.clouds, options.now),
      listings: new Listings(options),
      mirrors: new WeakMap(),
    }
  }

  async look(shared: SourceContext<GitRepository>, task: GitTask): Promise<Fetched | undefined> {
    const context = { ...shared, ...this.parts }
    const remote = await readRemote(context, task)
    const recipe = await readRecipe(context, task)
    const target = await resolveTarget(context, task, remote)
    if (!isNews(task, target, recipe)) return undefined
    try {
      return await fetchTree(context, task, remote, target, recipe)
    } catch (error) {
      context.listings.heed(remote, error)
      throw error
    }
  }

  /** The spec of this run, for nothing is left that asks for another artifact. */
  made({ spec }: GitRepository, { ignore, included, verification }: SourceState): Made {
    const { include = [], recurseSubmodules = false, sparseCheckout = [] } = spec
    return {
      observed: {
        ...(ignore === '' ? {} : { observedIgnore: ignore }),
        ...(include.length === 0 ? {} : { observedInclude: include, includedArtifacts: included }),
        ...(recurseSubmodules ? { observedRecurseSubmodules: true } : {}),
        ...(sparseCheckout.length === 0 ? {} : { observedSparseCheckout: sparseCheckout }),
        ...(verification === undefined ? {} : { sourceVerificationMode: verification.mode }),
      },
      verified: verification?.message,
    }
  }

  news(_repository: GitRepository, { subject }: SourceState): string {
    return `stored artifact for commit '${subject}'`
  }

  isMadeOf(repository: GitRepository, other: GitRepository): boolean {
    return includes(repository, other)
  }
}
