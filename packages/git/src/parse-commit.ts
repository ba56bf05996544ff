import type { CommitInfo } from './mirror-types.ts'
import { DamagedPack } from './pack/limits.ts'

/** What a commit says. Signatures and other headers are passed over. @throws DamagedPack */
export function parseCommit(oid: string, bytes: Buffer): CommitInfo {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\n\n')
  const headers = text.slice(0, end === -1 ? text.length : end).split('\n')
  const all = (name: string) =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const [tree] = all('tree')
  if (tree === undefined) throw new DamagedPack('a commit has no tree')
  return {
    oid,
    tree,
    parents: all('parent'),
    time: readPerson(all('committer')[0]).time,
    message: end === -1 ? '' : text.slice(end + 2).replace(/^\n+/, ''),
    author: readPerson(all('author')[0]).name,
  }
}

/** What an annotated tag points to. @throws DamagedPack */
export function parseTag(bytes: Buffer): string {
  const target = /^object ([0-9a-f]{40})\n/.exec(bytes.toString('latin1', 0, 64))?.[1]
  if (target === undefined) throw new DamagedPack('a tag points to nothing')
  return target
}

/** `Name <address> seconds zone`; what is missing is empty. */
function readPerson(line = ''): { name: string; time: number } {
  const [, name = '', seconds = '0'] = /^(.*?) ?<.*> ?(-?\d+)?/.exec(line) ?? []
  return { name, time: Number(seconds) * 1000 }
}
