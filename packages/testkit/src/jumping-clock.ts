import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from './temporary-directory.ts'

/** The wall clock of a service that a test starts, which can be set. */
export interface JumpingClock extends AsyncDisposable {
  /** Flags of Node that the service is started with. */
  nodeArgs: string[]
  /** How far the clock is from the true time; ms. */
  set(offsetMs: number): Promise<void>
}

/** The time of the whole process is what the file says apart from the true one. */
const CLOCK = `
import { readFileSync } from 'node:fs'
const offset = () => Number(readFileSync(new URL('offset', import.meta.url), 'utf8'))
const now = Date.now
Date.now = () => now() + offset()
globalThis.Date = class extends Date {
  constructor(...args) { args.length === 0 ? super(Date.now()) : super(...args) }
}
`

/** A clock that is right until it is set. */
export async function jumpingClock(): Promise<JumpingClock> {
  const directory = await temporaryDirectory('clock')
  const set = (offsetMs: number) => writeFile(join(directory.path, 'offset'), String(offsetMs))
  await set(0)
  await writeFile(join(directory.path, 'clock.mjs'), CLOCK)
  return {
    nodeArgs: [`--import=${join(directory.path, 'clock.mjs')}`],
    set,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}
