import { randomBytes } from 'node:crypto'
import { connectBus } from '@setpoint/bus'
import { startNats, temporaryDirectory } from '@setpoint/testkit'
import { expect, test } from 'vitest'
import { ARTIFACT_BUCKET } from './bucket.ts'
import { PackFiles } from './pack-files.ts'
import { Packs } from './packs.ts'

test('contents that two sources store at the same time are sent once', async () => {
  await using nats = await startNats()
  await using bus = await connectBus({ url: nats.url, producer: 'test', log, now: Date.now })
  await using home = await temporaryDirectory('packs')
  const packs = new Packs({
    files: new PackFiles(home.path),
    bus,
    maxBytes: 1024 * 1024,
    maxAgeMs: 60_000,
    now: Date.now,
  })
  const [one, both, other] = [randomBytes(50_000), randomBytes(50_000), randomBytes(50_000)]
  await Promise.all([
    packs.add(blobs({ one, both })),
    packs.add(blobs({ both, other })),
    packs.add(blobs({ both })),
  ])
  expect(await bus.bytes.names(ARTIFACT_BUCKET)).toHaveLength(2)
  expect(bus.stats.published[ARTIFACT_BUCKET]?.messages).toBe(2)
  for (const [blobId, content] of Object.entries({ one, both, other })) {
    const pack = packs.find(blobId)
    if (pack === undefined) throw new Error(`${blobId} is in no pack`)
    expect((await packs.contents(pack)).get(blobId)).toEqual(content)
  }
})

const log = { info() {}, warn() {} }

const blobs = (contents: Record<string, Buffer>) => new Map(Object.entries(contents))
