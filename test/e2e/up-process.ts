import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, startChild, waitFor } from '@setpoint/testkit'

export const SETPOINT = join(import.meta.dirname, '../../bin/setpoint')

/** What `up` writes down of itself. */
export interface UpState {
  nats: { url: string; pid?: number }
  services: { name: string; pid?: number; url: string; restarts: number }[]
}

/** Starts `setpoint up` and waits until it is ready. data: its data directory, also that of its state. */
export async function startUp(kubeconfig: string, data: string, flags: string[] = []): Promise<Child> {
  const up = await startChild('setpoint up', SETPOINT, [
    'up',
    '--kubeconfig',
    kubeconfig,
    '--data',
    data,
    ...flags,
  ])
  await waitFor('setpoint is up', () => upState(data), { timeoutMs: 120_000 }).catch(async (error: Error) => {
    await up.kill()
    throw new Error(`${error.message}\n${up.logs()}`)
  })
  return up
}

/** The state that `up` writes down, once every service says that it is ready. */
export async function upState(data: string): Promise<UpState> {
  const state = JSON.parse(await readFile(join(data, 'state.json'), 'utf8')) as UpState
  for (const { name, url } of state.services)
    if (!(await fetch(`${url}/readyz`)).ok) throw new Error(`${name} is not ready`)
  if (state.services.length < 4) throw new Error(`${state.services.length} services`)
  return state
}
