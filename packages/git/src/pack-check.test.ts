import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { startGitServer, temporaryDirectory } from '@setpoint/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GitError } from './errors.ts'
import { listRemote } from './list-remote.ts'
import { openMirror } from './mirror.ts'
import { checkPack, DEFAULT_PACK_LIMITS } from './pack-check.ts'
import { resolveReference } from './resolve-reference.ts'
import { compileIgnore } from './source-ignore.ts'

const BLOB = 3
const OFS_DELTA = 6

function object(
  type: number,
  content: Buffer,
  { size = content.length, between = Buffer.alloc(0) }: { size?: number; between?: Buffer } = {},
): Buffer {
  const header = [(type << 4) | (size & 15) | (size > 15 ? 0x80 : 0)]
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128))
    header.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0))
  return Buffer.concat([Buffer.from(header), between, deflateSync(content)])
}

function packOf(objects: Buffer[], { count = objects.length } = {}): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(count, 8)
  const body = Buffer.concat([head, ...objects])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

/** The distance to a base, as a pack writes it. */
function distance(value: number): Buffer {
  const bytes = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((--rest & 0x7f) | 0x80)
  return Buffer.from(bytes)
}

/** A blob and deltas, each on the one before. */
function chain(length: number): Buffer[] {
  const objects = [object(BLOB, Buffer.from('x'))]
  // Base of 1 byte, result of 1 byte, copied from the base.
  for (let n = 0; n < length; n += 1)
    objects.push(
      object(OFS_DELTA, Buffer.from([1, 1, 0x90, 1]), { between: distance(objects.at(-1)?.length ?? 0) }),
    )
  return objects
}

const MIB = 1024 * 1024
const limits = { maxObjectBytes: 8 * MIB, maxUnpackedBytes: 32 * MIB, maxObjects: 1_000, maxDeltaDepth: 50 }

describe('a pack', () => {
  test('of the real git, with deltas, is good', async () => {
    await using home = await temporaryDirectory('pack')
    const run = (args: string[], input?: string) =>
      execFileSync('git', args, {
        cwd: home.path,
        stdio: ['pipe', 'pipe', 'ignore'],
        ...(input && { input }),
      })
    run(['init', '-q'])
    for (let n = 0; n < 20; n += 1) {
      run(['hash-object', '-w', '--stdin'], `${'line\n'.repeat(2_000)}${n}\n`)
      run(['hash-object', '-w', '--stdin'], String(n))
    }
    const ids = run(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)']).toString()
    const pack = execFileSync('git', ['pack-objects', '--stdout', '-q', '--delta-base-offset'], {
      cwd: home.path,
      input: ids,
    })
    expect(() => checkPack(pack, limits)).not.toThrow()
  })

  test.each<[string, Buffer, string]>([
    ['that is a bomb', packOf([object(BLOB, Buffer.alloc(9 * MIB))]), 'more than the limit of 8388608'],
    [
      'of many small bombs',
      packOf(Array.from({ length: 5 }, () => object(BLOB, Buffer.alloc(8 * MIB)))),
      'unpacked, it has more',
    ],
    [
      'whose object is larger than it says',
      packOf([object(BLOB, Buffer.alloc(9 * MIB), { size: 10 })]),
      'larger than it says',
    ],
    [
      'whose object is smaller than it says',
      packOf([object(BLOB, Buffer.from('x'), { size: 10 })]),
      'another size',
    ],
    ['with an endless chain of deltas', packOf(chain(60)), 'longer than the limit of 50'],
    [
      'with a delta that makes something huge',
      packOf([
        ...chain(0),
        object(OFS_DELTA, Buffer.from([1, 0xff, 0xff, 0xff, 0x7f, 0x90, 1]), {
          between: distance(chain(0)[0]?.length ?? 0),
        }),
      ]),
      'more than the limit',
    ],
    [
      'with a delta on nothing',
      packOf([object(OFS_DELTA, Buffer.from([1, 1, 0x90, 1]), { between: distance(5) })]),
      'base that is not before it',
    ],
    ['with fewer objects than it says', packOf(chain(3), { count: 9 }), 'the server sent'],
    ['with more objects than it says', packOf(chain(3), { count: 2 }), 'other bytes than it says'],
    ['with too many objects', packOf(chain(3), { count: 1_001 }), 'more than the limit of 1000'],
    [
      'whose hash is wrong',
      Buffer.concat([packOf(chain(1)).subarray(0, -1), Buffer.from([0])]),
      'hash is wrong',
    ],
    ['that is none', Buffer.from('<html>'.repeat(20)), 'does not start like one'],
  ])('%s is refused', (_what, pack, message) => {
    expect(() => checkPack(pack, limits)).toThrow(message)
  })

  test('a chain within the limit is taken', () =>
    expect(() => checkPack(packOf(chain(50)), limits)).not.toThrow())
})

describe('whatever comes', () => {
  const runs = { numRuns: Number(process.env.FUZZ_RUNS ?? 300) }

  test('a pack is taken or refused with a GitError, in bounded memory', () => {
    const good = packOf(chain(10))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(good.length),
        (edits, cut) => {
          const pack = Buffer.from(good.subarray(0, cut === 0 ? good.length : cut))
          for (const [at, byte] of edits) if (at < pack.length) pack[at] = byte
          try {
            checkPack(pack, limits)
          } catch (error) {
            expect(error).toBeInstanceOf(GitError)
          }
        },
      ),
      runs,
    )
  })

  test('a .sourceignore of any text never throws, and never lets .git in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (content) => {
        const ignore = compileIgnore({
          files: [{ path: '.sourceignore', content: content.replaceAll('!', '') }],
        })
        expect(ignore.excludes('.git/config')).toBe(true)
      }),
      runs,
    )
  })
})

describe('a server', () => {
  async function serving(
    answer: (
      path: string,
      end: (text: string | Buffer) => void,
      raw: import('node:http').ServerResponse,
    ) => void,
  ) {
    const server = createServer((request, response) =>
      answer(request.url ?? '', (text) => void response.end(text), response),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`
    return {
      url,
      [Symbol.dispose]: () => {
        server.closeAllConnections()
        server.close()
      },
    }
  }

  test('that drips is given up on in time', async () => {
    using server = await serving((_path, _end, raw) => {
      const timer = setInterval(() => raw.write('0'), 20)
      raw.once('close', () => clearInterval(timer))
    })
    await expect(listRemote({ url: server.url, timeoutMs: 300 })).rejects.toMatchObject({ code: 'Timeout' })
  })

  test('that answers half is told apart', async () => {
    using server = await serving((_path, _end, raw) => {
      raw.writeHead(200, { 'content-length': '1000' })
      raw.write('001e# service=git-upload-pack\n', () => raw.destroy())
    })
    await expect(listRemote({ url: server.url, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'Unreachable',
    })
  })

  test('that wants to be left alone says for how long', async () => {
    using server = await serving((_path, end, raw) => {
      raw.writeHead(429, { 'retry-after': '17' })
      end('')
    })
    const asked = listRemote({ url: server.url, timeoutMs: 5_000 })
    await expect(asked).rejects.toMatchObject({ code: 'RateLimited', retryAfterMs: 17_000 })
  })

  test('with references that are no names shows none of them', async () => {
    const line = (text: string) => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`
    const id = 'a'.repeat(40)
    const refs = [
      'refs/heads/main',
      'refs/heads/\u001b[31mred',
      'refs/heads/a..b',
      'refs/heads/x\u202ey',
      'refs/tags/v1.lock',
    ]
    const [first, ...others] = refs
    const listing = [`${id} ${first}\0 agent=x\n`, ...others.map((name) => `${id} ${name}\n`)]
      .map(line)
      .join('')
    using server = await serving((_path, end, raw) => {
      raw.setHeader('content-type', 'application/x-git-upload-pack-advertisement')
      end(`${line('# service=git-upload-pack\n')}0000${listing}0000`)
    })
    const listed = await listRemote({ url: server.url, timeoutMs: 5_000 })
    expect([...listed.refs.keys()]).toEqual(['refs/heads/main'])
  })

  test('whose pack is beyond a bound is refused before anything is kept', async () => {
    await using git = await startGitServer()
    const repo = await git.create('bomb')
    await repo.commit({ 'bomb.bin': Buffer.alloc(5 * MIB) })
    await using home = await temporaryDirectory('mirror')
    const mirror = await openMirror(join(home.path, 'm'), { url: repo.url })
    const remote = { url: repo.url, timeoutMs: 20_000 }
    const resolved = resolveReference(await listRemote(remote), { branch: 'main' })
    const packLimits = { ...DEFAULT_PACK_LIMITS, maxObjectBytes: MIB }
    await expect(mirror.fetch({ ...remote, packLimits }, resolved)).rejects.toMatchObject({
      code: 'TooLarge',
    })
    expect((await mirror.fetch(remote, resolved)).full).toBe(true)
  })
})
