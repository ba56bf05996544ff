import { join } from 'node:path'
import { type Child, startChild } from './child.ts'

export interface ServiceOptions {
  /** Flags, such as `--nats=nats://127.0.0.1:4222`. */
  args?: string[]
  env?: Record<string, string | undefined>
  /** Flags of Node itself, such as `--import=…`. */
  nodeArgs?: string[]
  /** Gets each line of its output. */
  log?(line: string): void
  /** Where to write all of its output too. */
  logFile?: string
}

const root = join(import.meta.dirname, '..', '..', '..')

/** Starts `services/NAME/src/main.ts` as a process of its own, on the Node that runs this. */
export function spawnService(name: string, options: ServiceOptions = {}): Promise<Child> {
  const { args = [], nodeArgs = [], ...rest } = options
  const main = join(root, 'services', name, 'src', 'main.ts')
  return startChild(
    name,
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...nodeArgs, main, ...args],
    rest,
  )
}
