import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { KubeClientOptions } from './client-types.ts'
import { KubeConfigError } from './errors.ts'
import { type Endpoint, mergeKubeconfigs, parseKubeconfig, resolveEndpoint } from './kubeconfig.ts'

// The one file of this package that reads the environment.

const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Finds the API server: the kubeconfig named, else the pod's service account, else KUBECONFIG, else ~/.kube/config. */
export async function loadEndpoint(options: KubeClientOptions): Promise<Endpoint> {
  if (options.kubeconfig !== undefined) return fromFiles([options.kubeconfig], options.context)
  const inCluster = inClusterEndpoint()
  if (inCluster && options.context === undefined) return inCluster
  const files = (process.env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '')
  return fromFiles(files.length > 0 ? files : [join(homedir(), '.kube', 'config')], options.context)
}

/** The environment that credential plugins of a kubeconfig are started with. */
export function pluginEnvironment(): Record<string, string | undefined> {
  return { ...process.env }
}

function inClusterEndpoint(): Endpoint | undefined {
  const host = process.env.KUBERNETES_SERVICE_HOST
  const port = process.env.KUBERNETES_SERVICE_PORT
  if (!host || !port) return undefined
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: { file: join(serviceAccountDirectory, 'ca.crt') },
    skipTlsVerify: false,
    authentication: { kind: 'tokenFile', path: join(serviceAccountDirectory, 'token') },
    impersonation: {},
  }
}

async function fromFiles(files: string[], context: string | undefined): Promise<Endpoint> {
  const configs = await Promise.all(
    files.map(async (file) => parseKubeconfig(await read(file), dirname(file), file)),
  )
  return resolveEndpoint(mergeKubeconfigs(configs), context, files.join(delimiter))
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new KubeConfigError(`kubeconfig ${file} can't be read`, { cause })
  }
}
