import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { certificateAuthority, type Subject } from './certificate.ts'
import { kubeconfigText } from './kubeconfig.ts'

/** Where a control plane's files are, all below its data directory. */
export interface ControlPlaneFiles {
  caFile: string
  serverCert: string
  serverKey: string
  serviceAccountKey: string
  serviceAccountPublicKey: string
  authentication: string
  auditPolicy: string
  /** Who wrote what, one event a line. */
  audit: string
  /** Cluster-admin. */
  admin: string
  controllerManager: string
  scheduler: string
  logs: string
  etcd: string
}

/**
 * Writes certificates, keys and kubeconfigs. A data directory that has them keeps its service account key
 * and gets new certificates, so tokens issued before stay valid.
 */
export async function writeControlPlaneFiles(dataDir: string, url: string): Promise<ControlPlaneFiles> {
  const files = filesIn(dataDir)
  await mkdir(files.logs, { recursive: true })
  const authority = certificateAuthority('setpoint-test')
  const server = authority.issue({ commonName: 'kube-apiserver', server: serverNames })
  const kubeconfig = (subject: Subject) => kubeconfigText(url, authority.pem, authority.issue(subject))
  const keys = await serviceAccountKeys(files)
  const contents: Array<[path: string, content: string]> = [
    [files.caFile, authority.pem],
    [files.serverCert, server.cert],
    [files.serverKey, server.key],
    [files.serviceAccountKey, keys.private],
    [files.serviceAccountPublicKey, keys.public],
    [files.authentication, JSON.stringify(authentication)],
    [files.auditPolicy, JSON.stringify(auditPolicy)],
    [files.admin, kubeconfig({ commonName: 'admin', organization: 'system:masters' })],
    [files.controllerManager, kubeconfig({ commonName: 'system:kube-controller-manager' })],
    [files.scheduler, kubeconfig({ commonName: 'system:kube-scheduler' })],
  ]
  await Promise.all(contents.map(([path, content]) => writeFile(path, content, { mode: 0o600 })))
  return files
}

function filesIn(dataDir: string): ControlPlaneFiles {
  const at = (name: string) => join(dataDir, name)
  return {
    caFile: at('ca.pem'),
    serverCert: at('server.pem'),
    serverKey: at('server-key.pem'),
    serviceAccountKey: at('service-account-key.pem'),
    serviceAccountPublicKey: at('service-account-public.pem'),
    authentication: at('authentication.json'),
    auditPolicy: at('audit-policy.json'),
    audit: join(at('logs'), 'audit.jsonl'),
    admin: at('admin.kubeconfig'),
    controllerManager: at('controller-manager.kubeconfig'),
    scheduler: at('scheduler.kubeconfig'),
    logs: at('logs'),
    etcd: at('etcd'),
  }
}

const serverNames = [
  '127.0.0.1',
  '10.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
]

/** Who is nobody may ask for the health and for nothing else. */
const authentication = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: {
    enabled: true,
    conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }],
  },
}

/** Every write, without its content. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io' }] },
    { level: 'Metadata' },
  ],
}

async function serviceAccountKeys(files: ControlPlaneFiles): Promise<{ private: string; public: string }> {
  const kept = await Promise.all([
    readFile(files.serviceAccountKey, 'utf8'),
    readFile(files.serviceAccountPublicKey, 'utf8'),
  ]).catch(() => undefined)
  if (kept) return { private: kept[0], public: kept[1] }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
