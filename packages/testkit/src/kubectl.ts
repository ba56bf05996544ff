import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { binary } from './binary.ts'
import { kubeconfigText } from './kubeconfig.ts'
import { waitFor } from './wait-for.ts'

/** Runs kubectl and returns its standard output; throws with what it said. */
export type Kubectl = (...args: string[]) => Promise<string>

const TIMEOUT_MS = 120_000
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** kubectl of the pinned version against one cluster. */
export function kubectlFor(kubeconfig: string): Kubectl {
  return async (...args) => {
    const program = await binary('kubectl')
    const run = promisify(execFile)(program, [`--kubeconfig=${kubeconfig}`, ...args], {
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    const { stdout } = await run.catch((cause: Error & { stderr?: string }) => {
      throw new Error(`kubectl ${args.join(' ')} failed: ${cause.stderr || cause.message}`, { cause })
    })
    return stdout
  }
}

/** Names one ServiceAccount. */
export interface ServiceAccountName {
  namespace: string
  name: string
}

/**
 * Writes a kubeconfig with a token of a ServiceAccount, as TokenRequest issues it, valid for a day, into
 * `directory`, and returns its path. Creates the namespace and the ServiceAccount when they are missing.
 */
export async function writeKubeconfigFor(
  { namespace, name }: ServiceAccountName,
  { kubectl, url, caFile, directory }: { kubectl: Kubectl; url: string; caFile: string; directory: string },
): Promise<string> {
  await createUnlessExists(kubectl, ['namespace', namespace])
  await createUnlessExists(kubectl, ['--namespace', namespace, 'serviceaccount', name])
  const token = await waitFor(`a token of ServiceAccount ${namespace}/${name}`, () =>
    kubectl('--namespace', namespace, 'create', 'token', name, '--duration=24h'),
  )
  const path = join(directory, `${namespace}-${name}.kubeconfig`)
  const text = kubeconfigText(url, await readFile(caFile, 'utf8'), { token: token.trim() })
  await writeFile(path, text, { mode: 0o600 })
  return path
}

async function createUnlessExists(kubectl: Kubectl, what: string[]): Promise<void> {
  await kubectl('create', ...what).catch((error: unknown) => {
    if (!(error instanceof Error && /AlreadyExists|already exists/.test(error.message))) throw error
  })
}
