import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startGitServer, temporaryDirectory } from '@setpoint/testkit'
import { describe, expect, test } from 'vitest'
import { listRemote } from './list-remote.ts'
import { openMirror } from './mirror.ts'
import { DEFAULT_PACK_LIMITS } from './pack/limits.ts'
import { resolveReference } from './resolve-reference.ts'

const MIB = 1024 * 1024

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
      const timer = setInterval(() => raw.write('1'), 20)
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
