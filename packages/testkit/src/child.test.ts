import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startChild } from './child.ts'
import { waitFor } from './wait-for.ts'

it('a child and its own children die when the process that started them is killed', async () => {
  const program = `
    import { startChild } from ${JSON.stringify(join(import.meta.dirname, 'child.ts'))}
    const log = (line) => process.stdout.write(line + '\\n')
    await startChild('sh', '/bin/sh', ['-c', 'sleep 600 & echo $$ $!; wait'], { log })`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', program])
  const [output] = await once(parent.stdout, 'data', { signal: AbortSignal.timeout(20_000) })
  const pids = String(output).trim().split(' ').map(Number)
  expect(pids.map(isAlive)).toEqual([true, true])
  parent.kill('SIGKILL')
  await waitFor('both are gone', () => !pids.some(isAlive))
})

it('a program that ignores SIGTERM is killed after the grace period', async () => {
  const child = await startChild('stubborn', '/bin/sh', [
    '-c',
    'trap "" TERM; echo up; while :; do sleep 1; done',
  ])
  await waitFor('it runs', () => child.logs().includes('up'))
  expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' })
})

it('a program that does not exist is an error that names it', async () => {
  await expect(startChild('ghost', '/no/such/program', [])).rejects.toThrow(
    'cannot start ghost (/no/such/program)',
  )
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
