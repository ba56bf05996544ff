import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endedEarly, startChild, waitFor } from '@setpoint/testkit'

/** The services of a `setpoint up`. */
export interface UpState {
  services: { name: string; pid: number; url: string }[]
}

/** Starts `setpoint up`; it is stopped with the stack. Returns when every service is ready. */
export async function startUp(
  stack: AsyncDisposableStack,
  { kubeconfig, natsUrl, data }: { kubeconfig: string; natsUrl: string; data: string },
): Promise<UpState> {
  const program = join(import.meta.dirname, '../../bin/setpoint')
  const args = ['up', '--kubeconfig', kubeconfig, '--nats', natsUrl, '--data', data]
  const up = await startChild('setpoint up', program, args, {
    log: (line) => {
      if (process.env.BENCH_VERBOSE !== undefined) console.log(line)
    },
  })
  stack.defer(() => up.stop().then(() => undefined))
  return Promise.race([
    waitFor('setpoint is up', () => readState(data), { timeoutMs: 60_000 }),
    up.exited.then((exit) => Promise.reject(endedEarly(up, exit))),
  ])
}

async function readState(data: string): Promise<UpState | undefined> {
  const state = JSON.parse(await readFile(join(data, 'state.json'), 'utf8')) as UpState
  const ready = await Promise.all(state.services.map(async ({ url }) => (await fetch(`${url}/readyz`)).ok))
  return ready.length > 0 && ready.every(Boolean) ? state : undefined
}
