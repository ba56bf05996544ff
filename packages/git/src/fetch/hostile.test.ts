import { readdir } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '@setpoint/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GitError, type GitErrorCode } from '../errors.ts'
import { ObjectStore } from '../pack/object-store.ts'
import { inPieces } from '../pack/test-packs.ts'
import { PackWriter } from '../pack-writer.ts'
import { FLUSH, pktLine } from '../pkt-line.ts'
import { readAdvertisement } from './advertisement.ts'
import { readAnswer } from './answer.ts'
import { fetchInto } from './fetch-into.ts'
import { PktLineReader } from './pkt-line-reader.ts'

const commit = 'a'.repeat(40)
const line = (text: string) => pktLine(`${text}\n`)
const band = (number: number, content: string | Uint8Array) =>
  pktLine(Buffer.concat([Buffer.from([number]), Buffer.from(content)]))
const advertisement = Buffer.concat([
  line('# service=git-upload-pack'),
  FLUSH,
  line(`${commit} HEAD\0side-band-64k shallow ofs-delta multi_ack_detailed`),
  line(`${commit} refs/heads/main`),
  FLUSH,
])
/** What a good answer to a shallow fetch begins with. */
const start = Buffer.concat([line(`shallow ${commit}`), FLUSH, line('NAK')])
const writer = new PackWriter()
writer.add('blob', Buffer.from('x'))
const pack = await writer.finish()

/** A server whose references are good, and whose answer to a fetch is what the test says. */
async function serving(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume()
    if (request.method === 'GET') response.end(advertisement)
    else answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/r.git`,
    [Symbol.dispose]: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const all =
  (...parts: Uint8Array[]) =>
  (response: ServerResponse) =>
    void response.end(Buffer.concat(parts))

/** Sends the same line for ever, as fast as it is taken. */
const endless = (first: Uint8Array, again: Uint8Array) => (response: ServerResponse) => {
  const lines = Buffer.concat(Array.from({ length: 1_000 }, () => again))
  const more = () => {
    while (!response.destroyed && response.write(lines));
  }
  response.on('drain', more)
  response.write(first)
  more()
}

const dripping = (first: Uint8Array, again: Uint8Array) => (response: ServerResponse) => {
  response.write(first)
  const timer = setInterval(() => response.write(again), 20)
  response.once('close', () => clearInterval(timer))
}

const cut = (response: ServerResponse) => {
  response.writeHead(200, { 'content-length': '100000' })
  response.write(Buffer.concat([start, band(1, pack.subarray(0, 20))]), () => response.destroy())
}

test.each<[string, (response: ServerResponse) => void, GitErrorCode, string]>([
  ['breaks off', cut, 'Unreachable', 'cannot be reached'],
  ['ends within a line', all(start, Buffer.from('00ff\u0001PACK')), 'ProtocolError', 'broke off'],
  ['ends without the flush behind the pack', all(start, band(1, pack)), 'ProtocolError', 'broke off'],
  ['ends behind the shallow commits', all(line(`shallow ${commit}`), FLUSH), 'ProtocolError', 'broke off'],
  ['says nothing', all(), 'ProtocolError', 'broke off'],
  ['says nothing where the pack should be', all(start, FLUSH), 'ProtocolError', 'the pack'],
  ['is a web page', all(Buffer.from('<html>Log in')), 'ProtocolError', 'like a Git server'],
  ['has a line of three bytes', all(start, Buffer.from('0003')), 'ProtocolError', 'like a Git server'],
  [
    'has a line beyond the bound of Git',
    all(start, Buffer.from('ffff')),
    'ProtocolError',
    'like a Git server',
  ],
  ['has an empty line in the pack', all(start, Buffer.from('0004')), 'ProtocolError', 'like a Git server'],
  ['uses a band that there is not', all(start, band(4, pack), FLUSH), 'ProtocolError', 'like a Git server'],
  ['has shallow junk', all(line('shallow ../../x'), FLUSH), 'ProtocolError', 'like a Git server'],
  ['acknowledges junk', all(FLUSH, line('ACK everything')), 'ProtocolError', 'like a Git server'],
  [
    'has shallow commits for ever',
    endless(Buffer.alloc(0), line(`shallow ${commit}`)),
    'ProtocolError',
    'like a Git server',
  ],
  [
    'acknowledges for ever',
    endless(FLUSH, line(`ACK ${commit} common`)),
    'TooLarge',
    'more than the limit of 2000000 bytes',
  ],
  ['reports progress for ever', endless(start, band(2, 'Counting…')), 'TooLarge', 'more than the limit'],
  ['drips progress', dripping(start, band(2, '.')), 'Timeout', 'did not answer'],
  ['drips the length of a line', dripping(start, Buffer.from('1')), 'Timeout', 'did not answer'],
  [
    'reports an error',
    all(start, band(2, 'x'), band(3, 'fatal: \u001b[31mdisk\n')),
    'ServerError',
    'broke off: fatal:  [31mdisk',
  ],
  ['refuses', all(line('ERR upload-pack: not our ref')), 'Refused', 'refuses: upload-pack: not our ref'],
  ['refuses late', all(start, line('ERR no more\u0007')), 'Refused', 'refuses: no more'],
  ['holds a pack whose hash is wrong', all(start, band(1, pack.with(-1, 0)), FLUSH), 'ProtocolError', 'hash'],
  ['holds less than a pack', all(start, band(1, 'PA'), FLUSH), 'ProtocolError', 'the pack'],
])('a server whose answer %s', async (_what, answer, code, message) => {
  using server = await serving(answer)
  await using home = await temporaryDirectory('hostile')
  const remote = { url: server.url, timeoutMs: 500, maxBytes: 2_000_000 }
  const resolved = { refName: 'refs/heads/main', commit, revisionOf: String }
  const options = {
    extent: 'shallow',
    advertisement: undefined,
    last: undefined,
    withoutBlobs: false,
  } as const
  const error = await fetchInto(new ObjectStore(home.path), remote, resolved, options).catch(
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(GitError)
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
  expect(String(error)).not.toMatch(/\p{Cc}/u)
  expect(await readdir(join(home.path, 'objects', 'pack')).catch(() => [])).toEqual([])
  expect(await readdir(home.path)).not.toContain('shallow')
})

test('a good answer is taken, with or without acknowledgements before it', async () => {
  const good = Buffer.concat([
    ...[line(`shallow ${commit}`), FLUSH],
    ...[line(`ACK ${commit} common`), line(`ACK ${commit} ready`), line(`ACK ${commit}`)],
    ...[band(2, 'Counting'), band(1, pack.subarray(0, 7)), band(1, pack.subarray(7)), FLUSH],
  ])
  for (const answer of [good, Buffer.concat([start, band(1, pack), FLUSH])]) {
    using server = await serving(all(answer))
    await using home = await temporaryDirectory('good')
    const remote = { url: server.url, timeoutMs: 5_000 }
    const resolved = { refName: 'refs/heads/main', commit, revisionOf: String }
    const options = {
      extent: 'shallow',
      advertisement: undefined,
      last: undefined,
      withoutBlobs: false,
    } as const
    expect((await fetchInto(new ObjectStore(home.path), remote, resolved, options)).oid).toBe(commit)
    expect(await readdir(join(home.path, 'objects', 'pack'))).toHaveLength(2)
  }
})

test('whatever an answer is made into, it is taken or refused with a GitError', async () => {
  const good = Buffer.concat([start, band(2, 'Counting'), band(1, pack), FLUSH])
  const read = async (bytes: Buffer) => {
    const answer = await readAnswer(new PktLineReader(inPieces(bytes, 7), 'x'), {
      isShallow: true,
      shown: 'x',
    })
    for await (const _chunk of answer.pack);
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(good, advertisement),
      fc.array(fc.tuple(fc.nat(good.length), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      async (whole, edits, cut) => {
        const bytes = Buffer.from(whole.subarray(0, cut === 0 ? whole.length : cut))
        for (const [at, byte] of edits) if (at < bytes.length) bytes[at] = byte
        const listing = readAdvertisement(new PktLineReader(inPieces(bytes, 7), 'x'), {
          service: 'git-upload-pack',
          shown: 'x',
        })
        for (const reading of [read(bytes), listing])
          await reading.catch((error: unknown) => expect(error).toBeInstanceOf(GitError))
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  )
})
