import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { commitRawTree, type GitRepo, startGitServer, temporaryDirectory } from '@setpoint/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  GitError,
  type GitMirror,
  listRemote,
  openMirror,
  parseGitmodules,
  parseLfsPointer,
  resolveReference,
  submoduleUrl,
  type TreeEntry,
} from './index.ts'

/** Whatever a stranger sends, by the doors of this package. FUZZ_RUNS asks for more than the usual few. */

const FUZZ_RUNS = process.env.FUZZ_RUNS === undefined ? undefined : Number(process.env.FUZZ_RUNS)
const runs = (usual: number) => ({ numRuns: FUZZ_RUNS ?? usual })
const TIMEOUT_MS = 60_000 + 200 * (FUZZ_RUNS ?? 0)

/** Changes of single bytes, and where it is cut: a share of the length each. */
const changes = fc.record({
  edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255)), {
    maxLength: 6,
  }),
  end: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
})

function changed(bytes: Buffer, { edits, end }: { edits: [number, number][]; end: number }): Buffer {
  const copy = Buffer.from(bytes.subarray(0, Math.ceil(bytes.length * end)))
  for (const [at, value] of edits) if (copy.length > 0) copy[Math.floor(at * copy.length)] = value
  return copy
}

/** A server that has learned by heart what a real one said, and says it wrongly. */
async function recorded(repo: GitRepo) {
  const heard = new Map<string, { type: string; body: Buffer }>()
  const wrong = { references: (bytes: Buffer) => bytes, pack: (bytes: Buffer) => bytes }
  const { origin, pathname } = new URL(repo.url)
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '' } = request
    const asked = await buffer(request)
    if (!heard.has(method)) {
      const headers = { 'content-type': request.headers['content-type'] ?? 'text/plain' }
      const sent = method === 'POST' ? { body: new Uint8Array(asked), headers } : {}
      const answer = await fetch(`${origin}${url}`, { method, ...sent })
      const type = answer.headers.get('content-type') ?? ''
      heard.set(method, { type, body: Buffer.from(await answer.arrayBuffer()) })
    }
    const { type = '', body = Buffer.alloc(0) } = heard.get(method) ?? {}
    const said = method === 'POST' ? wrong.pack(body) : wrong.references(body)
    response.writeHead(200, { 'content-type': type, 'content-length': said.length }).end(said)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    remote: {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
      timeoutMs: 5_000,
      maxBytes: 1_000_000,
    },
    wrong,
    [Symbol.dispose]: () => void server.close(),
  }
}

const commitOf = (repo: GitRepo) =>
  repo.commit({
    'a.yaml': 'a: 1\n'.repeat(50),
    'b/c.yaml': 'a: 1\n'.repeat(51),
    'b/link': { symlink: 'c.yaml' },
    '.sourceignore': '*.txt\n',
  })

test(
  'whatever a server says of its references is read or a GitError',
  async () => {
    await using git = await startGitServer()
    const repo = await git.create('r')
    await commitOf(repo)
    await repo.tag('v1.0.0', { message: 'one' })
    using server = await recorded(repo)
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        server.wrong.references = (bytes) => changed(bytes, change)
        const listed = await listRemote(server.remote).catch((error: unknown) => error)
        if (listed instanceof Error) expect(listed).toBeInstanceOf(GitError)
        else
          for (const name of (listed as Awaited<ReturnType<typeof listRemote>>).refs.keys())
            expect(name).not.toMatch(/[\p{Cc}\p{Cf}]|\.\./u)
      }),
      runs(150),
    )
  },
  TIMEOUT_MS,
)

test(
  'whatever pack comes: its commit is whole, or a GitError; the copy stays usable',
  async () => {
    await using git = await startGitServer()
    const repo = await git.create('r')
    const commit = await commitOf(repo)
    using server = await recorded(repo)
    const resolved = resolveReference(await listRemote(server.remote), { branch: 'main' })
    await using home = await temporaryDirectory('hostile')
    const expected = await wholeTree(join(home.path, 'good'))
    let copies = 0
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        server.wrong.pack = (bytes) => changed(bytes, change)
        const directory = join(home.path, `copy-${copies++ % 10}`)
        const mirror = await openMirror(directory, { url: server.remote.url })
        const failed = await mirror.fetch(server.remote, resolved).catch((error: unknown) => error)
        if (failed instanceof Error) expect(failed).toBeInstanceOf(GitError)
        server.wrong.pack = (bytes) => bytes
        expect(await wholeTree(directory)).toEqual(expected)
        await mirror.reset()
      }),
      runs(60),
    )

    async function wholeTree(directory: string) {
      const mirror = await openMirror(directory, { url: server.remote.url })
      if (!(await mirror.has(commit))) await mirror.fetch(server.remote, resolved)
      const entries = await mirror.readTree(commit)
      return Promise.all(
        entries.map(async ({ path, oid, mode }) => [
          path,
          mode,
          Buffer.from(await mirror.readBlob(oid)).toString(),
        ]),
      )
    }
  },
  TIMEOUT_MS,
)

test(
  'whatever the names in a tree: its paths stay below it, each once, or a GitError',
  async () => {
    await using git = await startGitServer()
    const repo = await git.create('r')
    await using home = await temporaryDirectory('hostile')
    const mirror = await openMirror(join(home.path, 'copy'), { url: repo.url })
    const name = fc.oneof(
      fc.constantFrom('..', '.', '.git', 'GIT~1', '.g\u200cit ', 'a', 'a', '/a', 'a\\..\\b', 'a/b', ''),
      fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
    )
    const mode = fc.constantFrom('100644', '40000', '120000', '20666', '1')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name, mode }), { minLength: 1, maxLength: 3 }),
        async (entries) => {
          const commit = await commitRawTree(repo, entries)
          // The server itself refuses some of them.
          const read = await readTip(mirror, repo, commit).catch((error: unknown) => error)
          if (read instanceof Error) expect(read).toBeInstanceOf(GitError)
          else expectBelow((read as TreeEntry[]).map(({ path }) => path))
        },
      ),
      runs(25),
    )
  },
  TIMEOUT_MS,
)

async function readTip(mirror: GitMirror, repo: GitRepo, commit: string): Promise<TreeEntry[]> {
  const remote = { url: repo.url, timeoutMs: 10_000 }
  await mirror.fetch(remote, resolveReference(await listRemote(remote), { branch: 'main' }))
  return mirror.readTree(commit)
}

function expectBelow(paths: string[]): void {
  expect(new Set(paths).size).toBe(paths.length)
  for (const path of paths) {
    expect(path).not.toMatch(/(^|[/\\])(\.\.|\.git)([/\\]|$)/i)
    expect(path.split('/')).not.toContain('')
  }
}

test('.gitmodules of any text has submodules at http, https or ssh, or a GitError', () => {
  const line = fc.oneof(
    fc.constantFrom('[submodule "x"]', '\tpath = x', '\turl = ../y.git', '\turl = ext::sh -c id'),
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `\turl = ${text}`),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      for (const module of parseGitmodules(lines.join('\n')))
        try {
          const url = submoduleUrl('https://git.example.com/team/app.git', module)
          expect(new URL(url).protocol).toMatch(/^(https?|ssh):$/)
        } catch (error) {
          expect(error).toBeInstanceOf(GitError)
        }
    }),
    runs(300),
  )
})

test('a pointer of Git LFS of any text is one of a plain hash and size, or none', () => {
  const lines = fc.array(
    fc.oneof(
      fc.constantFrom(`oid sha256:${'a'.repeat(64)}`, 'size 12', 'size -1', 'oid sha256:..'),
      fc.string({ unit: 'binary', maxLength: 80 }),
    ),
    { maxLength: 5 },
  )
  fc.assert(
    fc.property(lines, (rest) => {
      const text = ['version https://git-lfs.github.com/spec/v1', ...rest, ''].join('\n')
      const pointer = parseLfsPointer(Buffer.from(text))
      if (pointer === undefined) return
      expect(pointer.oid).toMatch(/^[0-9a-f]{64}$/)
      expect(Number.isSafeInteger(pointer.size)).toBe(true)
    }),
    runs(300),
  )
})
