import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GIT_REPOSITORY } from '@setpoint/contracts'
import {
  type BinaryName,
  binary,
  endedEarly,
  ensureBinaries,
  FLUX,
  FLUX_CONTROLLERS,
  freePort,
  startChild,
  temporaryDirectory,
  waitFor,
} from '@setpoint/testkit'
import { KUSTOMIZATION } from './environment.ts'
import { metric } from './metric.ts'
import type { Cluster } from './neighbours.ts'
import type { StartSystem } from './system.ts'

const CONTROLLERS = ['source-controller', 'kustomize-controller'] as const satisfies BinaryName[]
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt'

/** Flux's source-controller and kustomize-controller, outside of the cluster. @param flags for both of them */
export function fluxWith(flags: readonly string[]): StartSystem {
  return async (stack, { cluster, writer }) => {
    await ensureBinaries(CONTROLLERS, { log: console.log })
    await installCrds(cluster)
    console.log(about(flags))
    const home = stack.use(await temporaryDirectory('bench-flux'))
    const start = (name: BinaryName, more: string[] = []) =>
      startController(stack, name, {
        kubeconfig: cluster.kubeconfig,
        home: home.path,
        flags: [...flags, ...more],
      })
    const storage = stack.use(await temporaryDirectory('bench-flux-storage'))
    const address = `127.0.0.1:${await freePort()}`
    const source = await start('source-controller', [
      `--storage-path=${storage.path}`,
      `--storage-addr=${address}`,
      `--storage-adv-addr=${address}`,
    ])
    const kustomize = await start('kustomize-controller')
    const request = (kind: typeof GIT_REPOSITORY | typeof KUSTOMIZATION, name: string) =>
      writer.patch(kind, name, { metadata: { annotations: { [REQUESTED_AT]: new Date().toISOString() } } })
    return {
      title: `Flux ${FLUX}`,
      processes: [source, kustomize],
      watchesDrift: false,
      hint: () => request(GIT_REPOSITORY, 'fleet'),
      check: (name) => request(KUSTOMIZATION, name),
      checksDone: () => metric(kustomize.url, 'controller_runtime_reconcile_total'),
      busBytes: async () => 0,
    }
  }
}

function about(flags: readonly string[]): string {
  const shown = flags.join(' ') || 'as installed'
  return `Flux ${FLUX}: controllers ${FLUX_CONTROLLERS}, flags ${shown}; source-controller with fluxcd/pkg/artifact v0.18.1, as the Go module proxy does not have v0.18.3`
}

/** Starts one controller, with what its Deployment sets; returns when it says that it is ready. */
async function startController(
  stack: AsyncDisposableStack,
  name: BinaryName,
  { kubeconfig, home, flags }: { kubeconfig: string; home: string; flags: string[] },
): Promise<{ name: string; pid: number; url: string }> {
  const [metrics, health] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
  const temporary = join(home, `${name}-tmp`)
  await mkdir(temporary)
  const always = ['--watch-all-namespaces', '--enable-leader-election=false', '--events-addr=']
  const addresses = [`--metrics-addr=${metrics}`, `--health-addr=${health}`]
  const child = await startChild(name, await binary(name), [...always, ...addresses, ...flags], {
    env: { KUBECONFIG: kubeconfig, TMPDIR: temporary, RUNTIME_NAMESPACE: 'flux-system', GOMEMLIMIT: '1GiB' },
    log: (line) => {
      if (process.env.BENCH_VERBOSE !== undefined) console.log(line)
    },
  })
  stack.defer(() => child.stop().then(() => undefined))
  await Promise.race([
    waitFor(`${name} is ready`, async () => (await fetch(`http://${health}/readyz`)).ok, {
      timeoutMs: 60_000,
    }),
    child.exited.then((exit) => Promise.reject(endedEarly(child, exit))),
  ])
  return { name, pid: child.pid, url: `http://${metrics}` }
}

/** The same CRDs as Setpoint's, and those that source-controller does not start without. */
async function installCrds({ plane, kube }: Cluster): Promise<void> {
  const files = ['../../charts/setpoint/crds', 'flux-crds.yaml'].map((path) =>
    join(import.meta.dirname, path),
  )
  await plane.kubectl('apply', '--server-side', ...files.map((file) => `--filename=${file}`))
  await plane.kubectl('wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all')
  kube.invalidateDiscovery()
}
