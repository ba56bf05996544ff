import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binary } from './binary.ts'
import { type Child, endedEarly, startChild } from './child.ts'
import type { ControlPlaneFiles } from './control-plane-files.ts'
import { freePort } from './free-port.ts'
import { httpStatus } from './http-status.ts'
import type { BinaryName } from './tools.ts'
import { waitFor } from './wait-for.ts'

type Log = ((line: string) => void) | undefined

/** kwok's rules and nodes, which belong to this package. */
const kwokDirectory = join(import.meta.dirname, '..', 'kwok')

/** Two nodes that exist only as objects. */
export const nodesFile = join(kwokDirectory, 'nodes.yaml')

/** Starts etcd and waits until it is healthy. */
export async function startEtcd(files: ControlPlaneFiles, log: Log): Promise<{ child: Child; url: string }> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const child = await start('etcd', files, log, [
    `--data-dir=${files.etcd}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    // Its data need not survive a power cut.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ])
  await untilReady(child, async () => (await httpStatus(`${url}/health`)) === 200)
  return { child, url }
}

interface ApiServerOptions {
  etcdUrl: string
  url: string
  log: Log
  audit: boolean
  tokenWebhook: string | undefined
}

/** Starts kube-apiserver and waits until /readyz says so, which includes its bootstrap roles. */
export async function startApiServer(
  files: ControlPlaneFiles,
  { etcdUrl, url, log, audit, tokenWebhook }: ApiServerOptions,
): Promise<Child> {
  const child = await start('kube-apiserver', files, log, [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${new URL(url).port}`,
    '--advertise-address=127.0.0.1',
    // A loopback address may not be an endpoint of the service `kubernetes`.
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.0.0.0/16',
    '--authorization-mode=Node,RBAC',
    `--authentication-config=${files.authentication}`,
    `--client-ca-file=${files.caFile}`,
    `--tls-cert-file=${files.serverCert}`,
    `--tls-private-key-file=${files.serverKey}`,
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--allow-privileged=true',
    '--profiling=false',
    ...(tokenWebhook === undefined ? [] : await webhookFlags(files, tokenWebhook)),
    ...(audit ? [`--audit-policy-file=${files.auditPolicy}`, `--audit-log-path=${files.audit}`] : []),
  ])
  await untilReady(child, async () => (await httpStatus(`${url}/readyz`, files.caFile)) === 200)
  return child
}

/** Starts the controllers, the scheduler and kwok, side by side. */
export async function startControllers(files: ControlPlaneFiles, log: Log): Promise<Child[]> {
  const [managerPort, schedulerPort, kwokPort] = [await freePort(), await freePort(), await freePort()]
  return Promise.all([
    start('kube-controller-manager', files, log, [
      `--kubeconfig=${files.controllerManager}`,
      ...loopback(managerPort),
      '--use-service-account-credentials',
      `--service-account-private-key-file=${files.serviceAccountKey}`,
      `--root-ca-file=${files.caFile}`,
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ]),
    start('kube-scheduler', files, log, [
      `--kubeconfig=${files.scheduler}`,
      ...loopback(schedulerPort),
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ]),
    start('kwok', files, log, [
      `--kubeconfig=${files.admin}`,
      `--config=${join(kwokDirectory, 'stages.yaml')}`,
      '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
      '--node-lease-duration-seconds=40',
      `--server-address=127.0.0.1:${kwokPort}`,
      `--node-port=${kwokPort}`,
    ]),
  ])
}

function loopback(port: number): string[] {
  return ['--bind-address=127.0.0.1', `--secure-port=${port}`, '--leader-elect=false']
}

async function start(name: BinaryName, files: ControlPlaneFiles, log: Log, args: string[]): Promise<Child> {
  const program = await binary(name, log ? { log } : {})
  return startChild(name, program, args, { logFile: join(files.logs, `${name}.log`), cwd: files.logs })
}

async function untilReady(child: Child, probe: () => Promise<boolean>): Promise<void> {
  const ended = child.exited.then((exit) => Promise.reject(endedEarly(child, exit)))
  ended.catch(() => undefined)
  const ready = waitFor(`${child.name} is ready`, probe, { timeoutMs: 90_000, intervalMs: 50 })
  ready.catch(() => undefined)
  try {
    await Promise.race([ready, ended])
  } catch (error) {
    await child.kill()
    throw error
  }
}

/** Tokens that the API server does not know itself are shown to a webhook. */
async function webhookFlags(files: ControlPlaneFiles, server: string): Promise<string[]> {
  const path = `${files.authentication}.webhook`
  const config = {
    clusters: [{ name: 'webhook', cluster: { server } }],
    users: [{ name: 'webhook', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'webhook', user: 'webhook' } }],
    'current-context': 'webhook',
  }
  await writeFile(path, JSON.stringify(config))
  return [`--authentication-token-webhook-config-file=${path}`, '--authentication-token-webhook-version=v1']
}
