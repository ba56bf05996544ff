import { git } from './git-command.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** What a commit does to one path: new content, an executable file, a symbolic link, a submodule, or null to delete it. */
export type FileChange =
  | string
  | Buffer
  | null
  | { symlink: string }
  | { executable: string }
  | { submodule: string }

/** A bare repository that the Git server serves. */
export interface GitRepo {
  /** Where to clone it from. */
  url: string
  /** The bare repository on disk. */
  dir: string
  /** Adds one commit with these changes to a branch (created when missing) and returns its id. */
  commit(files: Record<string, FileChange>, options?: { message?: string; branch?: string }): Promise<string>
  /** `git revert` of a commit on a branch; returns the new commit's id. */
  revert(sha: string, options?: { branch?: string }): Promise<string>
  /** A lightweight tag, or an annotated one when there is a message; an existing tag is moved. */
  tag(name: string, options?: { at?: string; message?: string }): Promise<void>
  /** Deletes a full ref name, such as `refs/heads/main`. */
  deleteRef(ref: string): Promise<void>
  /** Points a full ref name at a commit. */
  setRef(ref: string, sha: string): Promise<void>
  /** The id of a branch's last commit. */
  head(branch?: string): Promise<string>
}

/** Creates an empty bare repository in `dir` that may be pushed to. */
export async function createRepository(dir: string, url: string, branch: string): Promise<GitRepo> {
  await git(['init', '--quiet', '--bare', `--initial-branch=${branch}`, dir])
  const settings = {
    'http.receivepack': 'true',
    'uploadpack.allowAnySHA1InWant': 'true',
    'uploadpack.allowFilter': 'true',
    'gc.auto': '0',
  }
  for (const [name, value] of Object.entries(settings)) await git(['config', name, value], { cwd: dir })
  return repository(dir, url, branch)
}

function repository(dir: string, url: string, mainBranch: string): GitRepo {
  const run = (...args: string[]) => git(args, { cwd: dir })
  const oneAtATime = serial()
  return {
    url,
    dir,
    commit: (files, { message = 'Change', branch = mainBranch } = {}) =>
      oneAtATime(() => importCommit(dir, files, { message, branch })),
    revert: (sha, { branch = mainBranch } = {}) => oneAtATime(() => revertIn(dir, sha, branch)),
    async tag(name, { at = mainBranch, message } = {}) {
      const annotated = message === undefined ? [] : ['-a', '-m', message]
      await run('tag', '--force', ...annotated, name, at)
    },
    async deleteRef(ref) {
      await run('update-ref', '-d', ref)
    },
    async setRef(ref, sha) {
      await run('update-ref', ref, sha)
    },
    head: (branch = mainBranch) => run('rev-parse', '--verify', `refs/heads/${branch}`),
  }
}

/** One process writes a commit of any number of files. */
async function importCommit(
  dir: string,
  files: Record<string, FileChange>,
  { message, branch }: { message: string; branch: string },
): Promise<string> {
  const ref = `refs/heads/${branch}`
  const parent = await git(['rev-parse', '--verify', '--quiet', ref], { cwd: dir }).catch(() => undefined)
  const input = commitStream(files, { ref, message, parent })
  await git(['fast-import', '--quiet', '--date-format=now'], { cwd: dir, input })
  return git(['rev-parse', '--verify', ref], { cwd: dir })
}

function* commitStream(
  files: Record<string, FileChange>,
  { ref, message, parent }: { ref: string; message: string; parent: string | undefined },
): Generator<string | Buffer> {
  yield `commit ${ref}\ncommitter Ada Example <ada@example.com> now\n`
  yield* data(message)
  if (parent !== undefined) yield `from ${parent}\n`
  for (const [path, change] of Object.entries(files)) {
    if (change === null) {
      yield `D ${quote(path)}\n`
    } else if (isSubmodule(change)) {
      yield `M 160000 ${change.submodule} ${quote(path)}\n`
    } else {
      yield `M ${modeOf(change)} inline ${quote(path)}\n`
      yield* data(contentOf(change))
    }
  }
}

function* data(content: string | Buffer): Generator<string | Buffer> {
  yield `data ${Buffer.byteLength(content)}\n`
  yield content
  yield '\n'
}

type Content = Exclude<FileChange, null | { submodule: string }>

function isSubmodule(change: FileChange): change is { submodule: string } {
  return typeof change === 'object' && change !== null && 'submodule' in change
}

function modeOf(change: Content): string {
  if (typeof change === 'string' || Buffer.isBuffer(change)) return '100644'
  return 'symlink' in change ? '120000' : '100755'
}

function contentOf(change: Content): string | Buffer {
  if (typeof change === 'string' || Buffer.isBuffer(change)) return change
  return 'symlink' in change ? change.symlink : change.executable
}

function quote(path: string): string {
  return `"${path.replace(/["\\]/g, (char) => `\\${char}`).replaceAll('\n', '\\n')}"`
}

/** A bare repository has no working tree to revert in, so a clone does it and pushes. */
async function revertIn(dir: string, sha: string, branch: string): Promise<string> {
  await using clone = await temporaryDirectory('revert')
  await git(['clone', '--quiet', '--branch', branch, dir, clone.path])
  await git(['revert', '--no-edit', sha], { cwd: clone.path })
  await git(['push', '--quiet', 'origin', branch], { cwd: clone.path })
  return await git(['rev-parse', 'HEAD'], { cwd: clone.path })
}

/** Two commits on one branch at a time would lose one of them. */
function serial(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
}
