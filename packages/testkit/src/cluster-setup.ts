import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { parse } from 'yaml'
import { ensureBinaries } from './binary.ts'
import { startControlPlane } from './control-plane.ts'
import { kubectlFor } from './kubectl.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** What the global setup hands to the test files. */
export interface ProvidedCluster {
  kubeconfig: string
  url: string
  caFile: string
  /** Where further kubeconfigs may be written. */
  directory: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    setpointCluster: ProvidedCluster | undefined
  }
}

/** The generated CRDs of the chart. */
const crds = join(import.meta.dirname, '..', '..', '..', 'charts', 'setpoint', 'crds')

/**
 * Vitest's global setup of the project `cluster`: one control plane for all its files. With
 * `SETPOINT_TEST_KUBECONFIG` an existing cluster is used instead, which is quicker to start with.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const existing = process.env.SETPOINT_TEST_KUBECONFIG
  const stack = new AsyncDisposableStack()
  await ensureBinaries(['kubectl', 'flux', 'oras'])
  if (process.env.SETPOINT_TOOLS !== 'download') await ensureBinaries(['kustomize-lines'])
  const cluster = existing ? await existingCluster(existing, stack) : await ownCluster(stack)
  if (existsSync(crds)) {
    await kubectlFor(cluster.kubeconfig)('apply', '--server-side', '--force-conflicts', '-f', crds)
  }
  project.provide('setpointCluster', cluster)
  return () => stack.disposeAsync()
}

async function ownCluster(stack: AsyncDisposableStack): Promise<ProvidedCluster> {
  const plane = stack.use(await startControlPlane({ controllers: true }))
  return { kubeconfig: plane.kubeconfig, url: plane.url, caFile: plane.caFile, directory: plane.dataDir }
}

async function existingCluster(kubeconfig: string, stack: AsyncDisposableStack): Promise<ProvidedCluster> {
  const { path: directory } = stack.use(await temporaryDirectory('cluster'))
  const config: unknown = parse(await readFile(kubeconfig, 'utf8'))
  const { server, ca } = firstCluster(config)
  const caFile = join(directory, 'ca.pem')
  await writeFile(caFile, Buffer.from(ca, 'base64'))
  return { kubeconfig, url: server, caFile, directory }
}

function firstCluster(config: unknown): { server: string; ca: string } {
  const { clusters } = config as {
    clusters?: Array<{ cluster: { server: string; 'certificate-authority-data'?: string } }>
  }
  const cluster = clusters?.[0]?.cluster
  const ca = cluster?.['certificate-authority-data']
  if (cluster === undefined || ca === undefined) {
    throw new Error('SETPOINT_TEST_KUBECONFIG must name a cluster with certificate-authority-data')
  }
  return { server: cluster.server, ca }
}
