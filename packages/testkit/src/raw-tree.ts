import { git } from './git-command.ts'
import type { GitRepo } from './git-repo.ts'

/** An entry of a tree as its bytes are, which Git itself would refuse to write. */
export interface RawEntry {
  name: string
  /** `40000` makes it a directory with one file. Default `100644`. */
  mode?: string
}

/** Commits a tree of these entries to main, past all checks of Git; returns the commit. */
export async function commitRawTree(repo: GitRepo, entries: readonly RawEntry[]): Promise<string> {
  const inRepository = (args: string[], input?: Buffer) =>
    git(args, { cwd: repo.dir, ...(input === undefined ? {} : { input: [input] }) })
  const write = (type: string, content: Buffer) =>
    inRepository(['hash-object', '-t', type, '-w', '--stdin', '--literally'], content)
  const blob = await write('blob', Buffer.from('evil: true\n'))
  const directory = await write('tree', rawEntry('evil.yaml', '100644', blob))
  const listed = entries.map(({ name, mode = '100644' }) =>
    rawEntry(name, mode, mode === '40000' ? directory : blob),
  )
  const tree = await write('tree', Buffer.concat(listed))
  const parent = await inRepository(['rev-parse', '--verify', '--quiet', 'main']).catch(() => undefined)
  const commit = await inRepository([
    'commit-tree',
    tree,
    '-m',
    'evil',
    ...(parent === undefined ? [] : ['-p', parent]),
  ])
  await repo.setRef('refs/heads/main', commit)
  return commit
}

function rawEntry(name: string, mode: string, oid: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
}
