import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Ports below the range from which systems take the local end of outgoing connections. */
const FIRST = 20_000
const LAST = 32_000
const ATTEMPTS = 200

const given = new Set<number>()

/** A TCP port on 127.0.0.1 that nobody listens on, never given twice by this process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free TCP port found between ${FIRST} and ${LAST} in ${ATTEMPTS} attempts`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
