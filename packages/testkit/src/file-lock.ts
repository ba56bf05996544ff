import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A holder touches its lock this often; one that has not for much longer is gone. */
const TOUCH_MS = 5_000
const STALE_MS = 30_000
const POLL_MS = 250

/**
 * Runs `work` while this process holds the lock file, which it waits for up to `timeoutMs`.
 * The lock of a process that died is taken over.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { timeoutMs, onWait }: { timeoutMs: number; onWait?: () => void },
): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  await acquire(path, timeoutMs, onWait)
  const touching = setInterval(() => void touch(path), TOUCH_MS)
  touching.unref()
  try {
    return await work()
  } finally {
    clearInterval(touching)
    await rm(path, { force: true })
  }
}

async function acquire(path: string, timeoutMs: number, onWait?: () => void): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (let attempt = 0; ; attempt++) {
    if (await create(path)) return
    if (await isStale(path)) await rm(path, { force: true })
    if (attempt === 0) onWait?.()
    if (performance.now() > deadline)
      throw new Error(`timed out after ${timeoutMs} ms waiting for the lock ${path}`)
    await delay(POLL_MS)
  }
}

async function create(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(`${process.pid}\n`)
    await file.close()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(path), readFile(path, 'utf8')])
    const age = Date.now() - mtimeMs
    const holder = Number(text)
    return age > STALE_MS || (age > POLL_MS && holder > 0 && !isAlive(holder))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => undefined)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
