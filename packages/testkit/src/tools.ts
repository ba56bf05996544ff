import { join } from 'node:path'

/** The programs that the testkit can provide. */
export type BinaryName =
  | 'kube-apiserver'
  | 'etcd'
  | 'kubectl'
  | 'kustomize-lines'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kwok'
  | 'nats-server'
  | 'helm'
  | 'flux'
  | 'source-controller'
  | 'kustomize-controller'
  | 'oras'
  | 'registry'
  | 'sops'
  | 's3-server'
  | 'local-kms'
  | 'cosign'

/** Where a program comes from, in every way that it can be had. */
export interface Tool {
  /** The directory in tools/ whose go.mod pins the version, and the name of the directory in the cache. */
  family: string
  version: string
  /** The main package to build. */
  goPackage: string
  /** Linker variables that make the program know its version. */
  variables?: Record<string, string>
  /** How long its build takes on two cores, for the progress line. */
  buildTakes: string
  /** An environment variable that names a directory with this program, looked at first. */
  directoryFrom?: 'KUBEBUILDER_ASSETS'
  /** Whether one that is installed is as good. */
  mayComeFromPath?: boolean
  release(platform: Platform): Release
}

/** In Go's words: `linux`, `darwin`; `amd64`, `arm64`. */
export interface Platform {
  os: string
  arch: string
}

/** An official release file and the official place of its SHA-256. */
export interface Release {
  url: string
  /** The program's path inside the archive, when the file is a `.tar.gz`. */
  member?: string
  checksum: { url: string; format: 'sums' | 'github-release' }
}

/** The pinned Go modules. */
export const toolsDirectory = join(import.meta.dirname, '..', 'tools')

const KUBERNETES = 'v1.37.2'
const ETCD = 'v3.7.3'
const KWOK = 'v0.8.0'
const NATS = 'v2.15.2'
const HELM = 'v3.22.0'
/** The version of Flux that Setpoint is compared with. */
export const FLUX = 'v2.9.5'
/** Of the controllers that this Flux installs. */
export const FLUX_CONTROLLERS = 'v1.9.5'
const ORAS = 'v1.3.6'
const REGISTRY = 'v3.1.2'
const SOPS = 'v3.13.3'
const COSIGN = 'v3.1.3'
/** The S3 server of rclone, with a main function of ours. */
const GOFAKES3 = 'v0.0.12'
/** AWS KMS on this machine, with a main function of ours. */
const LOCAL_KMS = 'v0.0.0-20260228092603'

export const tools: Record<BinaryName, Tool> = {
  'kube-apiserver': kubernetes('kube-apiserver', 'about 4 min'),
  kubectl: kubernetes('kubectl', 'about 30 s'),
  'kube-controller-manager': kubernetes('kube-controller-manager', 'about 90 s'),
  'kube-scheduler': kubernetes('kube-scheduler', 'about 20 s'),
  'kustomize-lines': {
    family: 'kubernetes',
    // The number after the dash counts the versions of the program, which lies beside the pinned module.
    version: `${KUBERNETES}-1`,
    goPackage: './kustomize-lines',
    buildTakes: 'about 30 s',
    release: () => {
      throw new Error('kustomize-lines is not released anywhere: it takes Go or Docker to build it')
    },
  },
  etcd: {
    family: 'etcd',
    version: ETCD,
    goPackage: 'go.etcd.io/etcd/server/v3',
    buildTakes: 'about 40 s',
    directoryFrom: 'KUBEBUILDER_ASSETS',
    release: ({ os, arch }) => {
      const files = `https://github.com/etcd-io/etcd/releases/download/${ETCD}`
      const name = `etcd-${ETCD}-${os}-${arch}`
      return { url: `${files}/${name}.tar.gz`, member: `${name}/etcd`, checksum: sums(`${files}/SHA256SUMS`) }
    },
  },
  kwok: {
    family: 'kwok',
    version: KWOK,
    goPackage: 'sigs.k8s.io/kwok/cmd/kwok',
    buildTakes: 'about 60 s',
    directoryFrom: 'KUBEBUILDER_ASSETS',
    release: ({ os, arch }) => ({
      url: `https://github.com/kubernetes-sigs/kwok/releases/download/${KWOK}/kwok-${os}-${arch}`,
      checksum: {
        url: `https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags/${KWOK}`,
        format: 'github-release',
      },
    }),
  },
  'nats-server': {
    family: 'nats-server',
    version: NATS,
    goPackage: 'github.com/nats-io/nats-server/v2',
    buildTakes: 'about 30 s',
    mayComeFromPath: true,
    release: ({ os, arch }) => {
      const files = `https://github.com/nats-io/nats-server/releases/download/${NATS}`
      const name = `nats-server-${NATS}-${os}-${arch}`
      return {
        url: `${files}/${name}.tar.gz`,
        member: `${name}/nats-server`,
        checksum: sums(`${files}/SHA256SUMS`),
      }
    },
  },
  helm: {
    family: 'helm',
    version: HELM,
    goPackage: 'helm.sh/helm/v3/cmd/helm',
    variables: { 'helm.sh/helm/v3/internal/version.version': HELM },
    buildTakes: 'about 60 s',
    mayComeFromPath: true,
    release: ({ os, arch }) => {
      const url = `https://get.helm.sh/helm-${HELM}-${os}-${arch}.tar.gz`
      return { url, member: `${os}-${arch}/helm`, checksum: sums(`${url}.sha256sum`) }
    },
  },
  flux: {
    family: 'flux',
    version: FLUX,
    goPackage: 'github.com/fluxcd/flux2/v2/cmd/flux',
    variables: { 'main.VERSION': FLUX.slice(1) },
    buildTakes: 'about 2 min',
    release: ({ os, arch }) => {
      const files = `https://github.com/fluxcd/flux2/releases/download/${FLUX}/flux_${FLUX.slice(1)}`
      return {
        url: `${files}_${os}_${arch}.tar.gz`,
        member: 'flux',
        checksum: sums(`${files}_checksums.txt`),
      }
    },
  },
  'source-controller': fluxController('source-controller', 'about 3 min'),
  'kustomize-controller': fluxController('kustomize-controller', 'about 2 min'),
  oras: {
    family: 'oras',
    version: ORAS,
    goPackage: 'oras.land/oras/cmd/oras',
    buildTakes: 'about 15 s',
    mayComeFromPath: true,
    release: ({ os, arch }) => {
      const files = `https://github.com/oras-project/oras/releases/download/${ORAS}/oras_${ORAS.slice(1)}`
      return {
        url: `${files}_${os}_${arch}.tar.gz`,
        member: 'oras',
        checksum: sums(`${files}_checksums.txt`),
      }
    },
  },
  registry: {
    family: 'registry',
    version: REGISTRY,
    goPackage: 'github.com/distribution/distribution/v3/cmd/registry',
    buildTakes: 'about 60 s',
    release: ({ os, arch }) => {
      const files = `https://github.com/distribution/distribution/releases/download/${REGISTRY}`
      const url = `${files}/registry_${REGISTRY.slice(1)}_${os}_${arch}.tar.gz`
      return { url, member: 'registry', checksum: sums(`${url}.sha256`) }
    },
  },
  cosign: {
    family: 'cosign',
    version: COSIGN,
    goPackage: 'github.com/sigstore/cosign/v3/cmd/cosign',
    buildTakes: 'about 6 min',
    mayComeFromPath: true,
    release: ({ os, arch }) => {
      const files = `https://github.com/sigstore/cosign/releases/download/${COSIGN}`
      return { url: `${files}/cosign-${os}-${arch}`, checksum: sums(`${files}/cosign_checksums.txt`) }
    },
  },
  's3-server': {
    family: 's3-server',
    version: GOFAKES3,
    goPackage: '.',
    buildTakes: 'about 10 s',
    release: () => {
      throw new Error('s3-server is not released anywhere: it takes Go or Docker to build it')
    },
  },
  'local-kms': {
    family: 'local-kms',
    version: LOCAL_KMS,
    goPackage: '.',
    buildTakes: 'about 30 s',
    release: () => {
      throw new Error('local-kms is not released with this main function: it takes Go or Docker to build it')
    },
  },
  sops: {
    family: 'sops',
    version: SOPS,
    goPackage: 'github.com/getsops/sops/v3/cmd/sops',
    buildTakes: 'about 4 min',
    mayComeFromPath: true,
    release: ({ os, arch }) => {
      const files = `https://github.com/getsops/sops/releases/download/${SOPS}/sops-${SOPS}`
      return { url: `${files}.${os}.${arch}`, checksum: sums(`${files}.checksums.txt`) }
    },
  },
}

function kubernetes(name: string, buildTakes: string): Tool {
  return {
    family: 'kubernetes',
    version: KUBERNETES,
    goPackage: `k8s.io/kubernetes/cmd/${name}`,
    variables: {
      'k8s.io/component-base/version.gitVersion': KUBERNETES,
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '37',
      'k8s.io/client-go/pkg/version.gitVersion': KUBERNETES,
    },
    buildTakes,
    directoryFrom: 'KUBEBUILDER_ASSETS',
    release: ({ os, arch }) => {
      const url = `https://dl.k8s.io/release/${KUBERNETES}/bin/${os}/${arch}/${name}`
      return { url, checksum: sums(`${url}.sha256`) }
    },
  }
}

/** A controller of Flux, for the bench alone. */
function fluxController(name: string, buildTakes: string): Tool {
  return {
    family: name,
    version: FLUX_CONTROLLERS,
    goPackage: `github.com/fluxcd/${name}`,
    buildTakes,
    release: () => {
      throw new Error(`${name} is released as a container image only: it takes Go or Docker to build it`)
    },
  }
}

/** A file with lines `HASH  NAME`, or with a hash alone. */
function sums(url: string): Release['checksum'] {
  return { url, format: 'sums' }
}
