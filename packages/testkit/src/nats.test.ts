import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startNats } from './nats.ts'
import { temporaryDirectory } from './temporary-directory.ts'

it('a restart keeps the port and the store, a restart with wipe deletes the store', async () => {
  await using home = await temporaryDirectory('nats-test')
  await using nats = await startNats({ storeDir: home.path })
  const { url, pid } = nats
  const mark = join(home.path, 'mark')
  await writeFile(mark, '')
  await nats.restart()
  expect({ url: nats.url, samePid: nats.pid === pid, mark: existsSync(mark) }).toEqual({
    url,
    samePid: false,
    mark: true,
  })
  await nats.restart({ wipe: true })
  expect(existsSync(mark)).toBe(false)
})

it('a configuration that the server refuses is an error with what it said', async () => {
  await expect(startNats({ config: 'no_such_field: {' })).rejects.toThrow(
    /nats-server ended before it was ready/,
  )
})
