import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { binary, temporaryDirectory } from '@setpoint/testkit'
import { parseAllDocuments } from 'yaml'

export const CHART = join(import.meta.dirname, '../../charts/setpoint')
/** The version that the tests' API server has; Helm cannot ask one when it only renders. */
const KUBE_VERSION = '1.37.2'
const TIMEOUT_MS = 120_000

/** An object as the chart renders it. Fields are read freely: a missing one fails the test that reads it. */
export interface Manifest {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  // biome-ignore lint/suspicious/noExplicitAny: rendered YAML of any kind, in tests only
  [field: string]: any
}

/** Runs helm; throws with what it said on standard error. */
export async function helm(...args: string[]): Promise<string> {
  const program = await binary('helm')
  const run = promisify(execFile)(program, args, { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 })
  const { stdout } = await run.catch((cause: Error & { stderr?: string; stdout?: string }) => {
    throw new Error(`helm ${args[0]} failed: ${cause.stderr || cause.message}${cause.stdout ?? ''}`, {
      cause,
    })
  })
  return stdout
}

/** `helm template` with these values, as objects. */
export async function render(values: object = {}, release = 'setpoint'): Promise<Manifest[]> {
  const flags = ['--namespace=setpoint-system', `--kube-version=${KUBE_VERSION}`]
  return manifests(await withValues(values, (file) => helm('template', release, CHART, ...flags, file)))
}

/** `helm lint --strict` with these values. */
export async function lint(values: object = {}): Promise<string> {
  return withValues(values, (file) => helm('lint', '--strict', CHART, `--kube-version=${KUBE_VERSION}`, file))
}

/** Writes values to a file for the time of one command. */
export async function withValues<T>(values: object, use: (flag: string) => Promise<T>): Promise<T> {
  await using directory = await temporaryDirectory('values')
  const file = join(directory.path, 'values.json')
  await writeFile(file, JSON.stringify(values))
  return await use(`--values=${file}`)
}

/** The one object of a kind and name. */
export function find(objects: Manifest[], kind: string, name: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name)
  const [object] = found
  if (object === undefined || found.length > 1)
    throw new Error(`${found.length} objects ${kind}/${name} among ${objects.map(describe).join(', ')}`)
  return object
}

function manifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object) => object !== null)
}

const describe = (object: Manifest): string => `${object.kind}/${object.metadata.name}`
