import git, { type TreeEntry as RawEntry } from 'isomorphic-git'
import { GitError } from './errors.ts'
import { gitFs } from './git-fs.ts'
import { PackWriter } from './pack-writer.ts'
import { translateReadError } from './translate-error.ts'

export interface CommitAuthor {
  name: string
  email: string
}

/** A commit to be made on top of another one. */
export interface NewCommit {
  /** The commit that it follows; it must be in the copy. */
  parent: string
  /** New contents by path. Every path must be a file of the parent; its mode stays. */
  changes: ReadonlyMap<string, Uint8Array>
  /** Author and committer. */
  author: CommitAuthor
  /** ms since the epoch. */
  timeMs: number
  message: string
  /** Signs the commit: its bytes in, the text of the signature out. */
  sign?(payload: Uint8Array): Promise<string>
}

/** A commit with everything that a server which has its parent needs. */
export interface WrittenCommit {
  oid: string
  /** A pack of the new objects. */
  pack: Uint8Array
}

/**
 * Makes a commit on top of one that is in a copy. Nothing is written to the copy: what was pushed is fetched like
 * everything else, and what was not leaves nothing behind.
 * @throws GitError Damaged when the parent cannot be read, ProtocolError when a path is no file of it.
 */
export async function writeCommit(dir: string, commit: NewCommit): Promise<WrittenCommit> {
  try {
    return await new CommitWriter(dir).write(commit)
  } catch (cause) {
    throw translateReadError(cause, `commit ${commit.parent}`)
  }
}

/** Changes of one directory: files by name, and directories with changes of their own. */
interface Level {
  files: Map<string, Uint8Array>
  directories: Map<string, Level>
}

class CommitWriter {
  private readonly repository: { fs: typeof gitFs; gitdir: string; cache: object }
  private readonly pack = new PackWriter()

  constructor(gitdir: string) {
    this.repository = { fs: gitFs, gitdir, cache: {} }
  }

  async write(commit: NewCommit): Promise<WrittenCommit> {
    const { commit: parent } = await git.readCommit({ ...this.repository, oid: commit.parent })
    const tree = await this.writeLevel(parent.tree, levelsOf(commit.changes), '')
    const oid = this.pack.add('commit', await bytesOf(commit, tree))
    return { oid, pack: await this.pack.finish() }
  }

  private async writeLevel(oid: string, level: Level, directory: string): Promise<string> {
    const { tree } = await git.readTree({ ...this.repository, oid })
    const missing = [...level.files.keys(), ...level.directories.keys()].find(
      (name) => !tree.some((entry) => entry.path === name),
    )
    if (missing !== undefined)
      throw new GitError('ProtocolError', `"${directory}${missing}" is no file of the commit`)
    // At once, for reading a directory mostly waits for the disk.
    const entries = await Promise.all(tree.map((entry) => this.changed(entry, level, directory)))
    return this.pack.add('tree', treeBytes(entries))
  }

  private async changed(entry: RawEntry, level: Level, directory: string): Promise<RawEntry> {
    const below = level.directories.get(entry.path)
    if (below !== undefined && entry.type === 'tree')
      return { ...entry, oid: await this.writeLevel(entry.oid, below, `${directory}${entry.path}/`) }
    const content = level.files.get(entry.path)
    if (content === undefined || entry.type !== 'blob') return entry
    return { ...entry, oid: this.pack.add('blob', content) }
  }
}

/** A tree as Git stores it: by name, where that of a directory counts as if it ended in a slash. */
function treeBytes(entries: readonly RawEntry[]): Buffer {
  const named = entries.map((entry) => ({
    entry,
    sortedBy: Buffer.from(entry.type === 'tree' ? `${entry.path}/` : entry.path),
  }))
  named.sort((a, b) => Buffer.compare(a.sortedBy, b.sortedBy))
  return Buffer.concat(
    named.flatMap(({ entry: { mode, path, oid } }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${path}\0`),
      Buffer.from(oid, 'hex'),
    ]),
  )
}

function levelsOf(changes: ReadonlyMap<string, Uint8Array>): Level {
  const root: Level = { files: new Map(), directories: new Map() }
  for (const [path, content] of changes) {
    const names = path.split('/')
    const file = names.pop() ?? ''
    let level = root
    for (const name of names) {
      const next = level.directories.get(name) ?? { files: new Map(), directories: new Map() }
      level.directories.set(name, next)
      level = next
    }
    level.files.set(file, content)
  }
  return root
}

async function bytesOf({ parent, author, timeMs, message, sign }: NewCommit, tree: string): Promise<Buffer> {
  const who = `${plain(author.name)} <${plain(author.email)}> ${Math.floor(timeMs / 1000)} +0000`
  const head = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n`
  const body = `\n${message.replaceAll('\r\n', '\n').trimEnd()}\n`
  const signature = await sign?.(Buffer.from(head + body, 'utf8'))
  if (signature === undefined) return Buffer.from(head + body, 'utf8')
  const header = `gpgsig ${signature.trimEnd().replaceAll('\n', '\n ')}\n`
  return Buffer.from(head + header + body, 'utf8')
}

/** A name may not hold what ends it. */
function plain(text: string): string {
  return text.replaceAll(/[<>\n\r\0]/g, '').trim()
}
