import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of its own that is removed, with what is in it, when it is disposed of. */
export type TemporaryDirectory = AsyncDisposable & { path: string }

/** Creates an empty directory below the system's temporary directory. */
export async function temporaryDirectory(prefix: string): Promise<TemporaryDirectory> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `setpoint-${prefix}-`)))
  return { path, [Symbol.asyncDispose]: () => removeDirectory(path) }
}

/** Removes a tree; a process that is still writing its last file makes the first attempt fail. */
export async function removeDirectory(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
