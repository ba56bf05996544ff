import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Ports below the range from which systems take the local end of outgoing connections. */
const FIRST = 20_000
const LAST = 32_000
/** Processes that look at the same time look in different parts: a port is given some moments before it is listened on. */
const PARTS = 8
const PART_SIZE = (LAST - FIRST) / PARTS
const ATTEMPTS = 200

const given = new Set<number>()

/** A TCP port on 127.0.0.1 that nobody listens on, never given twice by this process. */
export async function freePort(): Promise<number> {
  const first = FIRST + (Number(process.env.VITEST_POOL_ID ?? process.pid) % PARTS) * PART_SIZE
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(first, first + PART_SIZE)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free TCP port found between ${first} and ${first + PART_SIZE} in ${ATTEMPTS} attempts`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
