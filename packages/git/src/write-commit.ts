import { GitError } from './errors.ts'
import { ObjectStore } from './pack/object-store.ts'
import { PackWriter } from './pack-writer.ts'
import { parseTree, type TreeItem } from './parse-tree.ts'
import { readCommit, readTreeBytes } from './read-objects.ts'
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
  private readonly objects: ObjectStore
  private readonly pack = new PackWriter()

  constructor(gitdir: string) {
    this.objects = new ObjectStore(gitdir)
  }

  async write(commit: NewCommit): Promise<WrittenCommit> {
    const { tree: base } = await readCommit(this.objects, commit.parent)
    const tree = await this.writeLevel(base, levelsOf(commit.changes), '')
    const oid = this.pack.add('commit', await bytesOf(commit, tree))
    return { oid, pack: await this.pack.finish() }
  }

  private async writeLevel(oid: string, level: Level, directory: string): Promise<string> {
    const tree = Buffer.from(await readTreeBytes(this.objects, oid))
    const items = parseTree(tree)
    const names = new Set(items.map(({ name }) => name))
    const missing = [...level.files.keys(), ...level.directories.keys()].find((name) => !names.has(name))
    if (missing !== undefined)
      throw new GitError('ProtocolError', `"${directory}${missing}" is no file of the commit`)
    for (const item of items) tree.write(await this.changed(item, level, directory), item.oidAt, 'hex')
    return this.pack.add('tree', tree)
  }

  /** The id of an item afterwards: its mode, its name and so its place stay as they are. */
  private async changed(item: TreeItem, level: Level, directory: string): Promise<string> {
    const below = level.directories.get(item.name)
    if (below !== undefined && item.isTree)
      return this.writeLevel(item.oid, below, `${directory}${item.name}/`)
    const content = level.files.get(item.name)
    return content === undefined || !isFile(item) ? item.oid : this.pack.add('blob', content)
  }
}

/** Anything but a directory and a submodule. */
const isFile = ({ isTree, mode }: TreeItem): boolean => !isTree && mode !== '160000'

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
