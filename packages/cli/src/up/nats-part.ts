import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { binary } from '@setpoint/testkit'
import { startProgram } from './child-part.ts'
import type { Part, Running } from './running.ts'

const READY_WITHIN_MS = 20_000

export interface NatsSettings {
  dataDirectory: string
  port: number
  logFile: string | undefined
  onLine(line: string): void
  /** Progress when nats-server has to be built first. */
  onProgress(line: string): void
}

/** A nats-server on this machine, its store below the data directory, reachable from this machine alone. */
export async function natsPart(settings: NatsSettings): Promise<Part> {
  const command = await binary('nats-server', { log: settings.onProgress })
  const configFile = join(settings.dataDirectory, 'nats.conf')
  await mkdir(settings.dataDirectory, { recursive: true, mode: 0o700 })
  await writeFile(configFile, configuration(settings), { mode: 0o600 })
  const program = {
    command,
    args: ['--config', configFile],
    // As in the chart: what it allocates is messages, which are garbage a moment later.
    env: { GOGC: '50' },
    logFile: settings.logFile,
    onLine: settings.onLine,
  }
  return {
    name: 'nats-server',
    async start() {
      const running = await startProgram('nats-server', program)
      await greetedOrEnded(settings.port, running)
      return running
    },
  }
}

/** The store is bounded so that JetStream does not size it by the free space of the disk. */
function configuration({ port, dataDirectory }: NatsSettings): string {
  return [
    'host: 127.0.0.1',
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(join(dataDirectory, 'nats'))}, max_file_store: 16GB }`,
    '',
  ].join('\n')
}

async function greetedOrEnded(port: number, running: Running): Promise<void> {
  let ended = false
  void running.ended.then(() => {
    ended = true
  })
  for (let waited = 0; waited < READY_WITHIN_MS && !ended; waited += 25) {
    if (await greets(port)) return
    await delay(25)
  }
  if (ended) return
  await running.stop(1_000)
  throw new Error(`nats-server took no connections on port ${port} within ${READY_WITHIN_MS / 1_000} s`)
}

/** True when a NATS server speaks there: it says INFO first. */
export function greets(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host })
    const answer = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.setTimeout(1_000, () => answer(false))
    socket.once('error', () => answer(false))
    socket.once('close', () => answer(false))
    socket.once('data', (data) => answer(data.toString().startsWith('INFO ')))
  })
}
