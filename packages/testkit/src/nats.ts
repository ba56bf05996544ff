import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binary } from './binary.ts'
import { type Child, endedEarly, startChild } from './child.ts'
import { freePort } from './free-port.ts'
import { greets } from './port-probe.ts'
import { removeDirectory, type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { waitFor } from './wait-for.ts'

/** A running nats-server with JetStream. */
export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT`, the same after a restart. */
  url: string
  storeDir: string
  /** Of the present process; another one after a restart. */
  readonly pid: number
  /** SIGKILL, and no restart. */
  kill(): Promise<void>
  /** Ends the server if it still runs, and starts it again on the same port; `wipe` deletes every stream first. */
  restart(options?: { wipe?: boolean }): Promise<void>
  logs(): string
}

export interface NatsOptions {
  /** Kept when the server is disposed of; a temporary directory when left out. */
  storeDir?: string
  port?: number
  /** Bytes; the server's own default is 1 MiB. */
  maxPayload?: number
  /** Lines to add to the server's configuration file. */
  config?: string
}

/** Starts nats-server on 127.0.0.1 and returns when it takes connections. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const program = await binary('nats-server')
  const home = await temporaryDirectory('nats')
  const port = options.port ?? (await freePort())
  const storeDir = options.storeDir ?? join(home.path, 'store')
  const configFile = join(home.path, 'nats.conf')
  await writeFile(configFile, configuration({ ...options, port, storeDir }))
  const start = () => startServer(program, configFile, port)
  return control(await startOrRemove(start, home), { start, port, storeDir, home })
}

function configuration({
  port,
  storeDir,
  maxPayload,
  config,
}: NatsOptions & { port: number; storeDir: string }): string {
  return [
    `host: 127.0.0.1`,
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(storeDir)} }`,
    maxPayload === undefined ? '' : `max_payload: ${maxPayload}`,
    config ?? '',
    '',
  ].join('\n')
}

async function startOrRemove(start: () => Promise<Child>, home: TemporaryDirectory): Promise<Child> {
  try {
    return await start()
  } catch (error) {
    await home[Symbol.asyncDispose]()
    throw error
  }
}

/** As in the chart: what it allocates is messages, which are garbage a moment later. */
const NATS_ENVIRONMENT = { GOGC: '50' }

async function startServer(program: string, configFile: string, port: number): Promise<Child> {
  const child = await startChild('nats-server', program, ['-c', configFile], { env: NATS_ENVIRONMENT })
  const ended = child.exited.then((exit) => Promise.reject(endedEarly(child, exit)))
  ended.catch(() => undefined)
  const ready = waitFor('nats-server takes connections', () => greets(port), {
    timeoutMs: 20_000,
    intervalMs: 20,
  })
  await Promise.race([ready, ended])
  return child
}

function control(
  first: Child,
  {
    start,
    port,
    storeDir,
    home,
  }: { start: () => Promise<Child>; port: number; storeDir: string; home: TemporaryDirectory },
): NatsServer {
  let child = first
  return {
    url: `nats://127.0.0.1:${port}`,
    storeDir,
    get pid() {
      return child.pid
    },
    kill: () => child.kill(),
    logs: () => child.logs(),
    async restart({ wipe = false } = {}) {
      await child.kill()
      if (wipe) await removeDirectory(storeDir)
      child = await start()
    },
    async [Symbol.asyncDispose]() {
      await child.kill()
      await home[Symbol.asyncDispose]()
    },
  }
}
