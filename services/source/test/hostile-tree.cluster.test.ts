import { commitRawTree, type GitRepo, git } from '@setpoint/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readyMessage, type Setup, startSetup } from './harness.ts'

/** Commits that no artifact is made of. What was there before stays, and a better commit ends it. */

let setup: Setup
beforeAll(async () => {
  const limits = [
    ...['max-file-bytes=4096', 'max-path-depth=30', 'max-files=50', 'max-artifact-bytes=100000'],
    ...['max-object-bytes=1000000', 'max-unpacked-bytes=3000000', 'max-fetch-bytes=2000000'],
  ]
  setup = await startSetup({ args: limits.map((limit) => `--${limit}`) })
})
afterAll(() => setup[Symbol.asyncDispose]())

type Evil = (repo: GitRepo) => Promise<unknown>
const named =
  (name: string, mode = '100644'): Evil =>
  (repo) =>
    commitRawTree(repo, [{ name, mode }])
const filled =
  (count: number, content: (n: number) => string | Buffer): Evil =>
  (repo) =>
    repo.commit(Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.txt`, content(n)])))
const noise = (bytes: number) =>
  Buffer.concat(Array.from({ length: bytes / 50_000 }, () => crypto.getRandomValues(new Uint8Array(50_000))))

/** Twenty directories in each other, each of which holds the next one twenty times. */
const treeBomb =
  (bottom: string): Evil =>
  async ({ dir, setRef }) => {
    const run = (args: string[], input = '') => git(args, { cwd: dir, input: [input] })
    let tree = await run(['mktree'], bottom)
    for (let level = 0; level < 20; level += 1)
      tree = await run(
        ['mktree'],
        Array.from({ length: 20 }, (_, n) => `040000 tree ${tree}\t${n}\n`).join(''),
      )
    await setRef('refs/heads/main', await run(['commit-tree', tree, '-m', 'bomb', '-p', 'main']))
  }

test.each<[string, Evil, string, string]>([
  ['a directory ..', named('..', '40000'), 'IllegalPath', 'illegal name ".."'],
  ['a file ..', named('..'), 'IllegalPath', 'illegal name ".."'],
  ['a directory .', named('.', '40000'), 'IllegalPath', 'illegal name "."'],
  ['an absolute path', named('/etc/passwd'), 'IllegalPath', 'illegal name "/etc/passwd"'],
  ['a path in a name', named('a/../../b'), 'IllegalPath', 'illegal name'],
  ['a backslash path', named(String.raw`a\..\..\b`), 'IllegalPath', 'illegal name'],
  ['.git', named('.git', '40000'), 'IllegalPath', 'illegal name ".git"'],
  ['.GIT', named('.GIT', '40000'), 'IllegalPath', 'illegal name ".GIT"'],
  ['.git with what HFS+ ignores', named('.g\u200cit', '40000'), 'IllegalPath', 'illegal name'],
  ['.git as NTFS shortens it', named('GIT~1', '40000'), 'IllegalPath', 'illegal name "GIT~1"'],
  ['.git with what NTFS drops', named('.git. .', '40000'), 'IllegalPath', 'illegal name'],
  ['.git as an NTFS stream', named('.git::$INDEX_ALLOCATION'), 'IllegalPath', 'illegal name'],
  ['.git by a backslash', named(String.raw`.git\hooks`), 'IllegalPath', 'illegal name'],
  [
    'a link that is a directory as well',
    (repo) =>
      commitRawTree(repo, [
        { name: 'a', mode: '120000' },
        { name: 'a', mode: '40000' },
      ]),
    'IllegalPath',
    'twice the name "a"',
  ],
  ['a name without end', named('.git'.padEnd(100_000, ' ')), 'IllegalPath', 'illegal name'],
  ['a path without end', named('n'.repeat(5_000)), 'IllegalPath', 'is longer than 4096'],
  [
    'directories in directories',
    (repo) => repo.commit({ [`${'d/'.repeat(32)}a.yaml`]: '1' }),
    'IllegalPath',
    'deeper than 30',
  ],
  ['more directories than can be counted', treeBomb(''), 'GitOperationFailed', 'more than 50 files'],
  ['more files than --max-files', filled(51, () => '1'), 'GitOperationFailed', 'more than 50 files'],
  ['a file over --max-file-bytes', filled(1, () => 'x'.repeat(5_000)), 'ArchiveOperationFailed', '4096'],
  [
    'files over --max-artifact-bytes',
    filled(30, (n) => String(n).padEnd(4_000)),
    'ArchiveOperationFailed',
    '--max-artifact-bytes',
  ],
  [
    'an object that unpacks to more than --max-object-bytes',
    filled(1, () => Buffer.alloc(1_000_001)),
    'GitOperationFailed',
    'more than the limit of 1000000',
  ],
  [
    'objects that unpack to more than --max-unpacked-bytes',
    filled(4, (n) => Buffer.alloc(900_000, n)),
    'GitOperationFailed',
    'more than the limit of 3000000 bytes',
  ],
  [
    'a pack over --max-fetch-bytes',
    filled(3, () => noise(800_000)),
    'GitOperationFailed',
    'sends more than the limit of 2000000 bytes',
  ],
])(
  'a commit with %s is refused, and the artifact of the last good one stays',
  async (_what, evil, ...why) => {
    const [reason, message] = why
    const name = `tree-${crypto.randomUUID()}`
    const repo = await setup.git.create(name)
    const sha = await repo.commit({ 'a.yaml': 'a: 1\n' })
    await setup.create(name, { url: repo.url, interval: '1h' })
    const good = await setup.untilReady(name, 'True')
    await evil(repo)
    setup.hint(name)
    const failed = await setup.untilReady(name, 'False', reason)
    expect(readyMessage(failed)).toContain(message)
    expect(readyMessage(failed).length).toBeLessThan(1_000)
    await setup.expectKept(good)
    expect(await setup.files(name)).toEqual({ 'a.yaml': 'a: 1\n' })
    await repo.setRef('refs/heads/main', sha)
    const mended = await repo.commit({ 'a.yaml': 'a: 2\n' })
    setup.hint(name)
    await setup.untilCommit(name, mended)
    await setup.untilReady(name, 'True')
  },
)

test('names that differ in case or in Unicode form only stay apart', async () => {
  const repo = await setup.git.create('names')
  const files = { 'A.yaml': '1', 'a.yaml': '2', 'caf\u00e9.yaml': '3', 'cafe\u0301.yaml': '4' }
  await repo.commit(files)
  await setup.create('names', { url: repo.url })
  await setup.untilReady('names', 'True')
  expect(await setup.files('names')).toEqual(files)
})

test('a file that is too large may be left out', async () => {
  const repo = await setup.git.create('leftout')
  await repo.commit({ 'large.txt': 'x'.repeat(5_000), 'a.yaml': 'a: 1\n' })
  await setup.create('leftout', { url: repo.url, ignore: '*.txt' })
  await setup.untilReady('leftout', 'True')
})
