import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type SharedCluster,
  sharedCluster,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

/** The CRDs of the chart on a real API server: what it fills in, what it refuses, what `kubectl get` shows. */

const stack = new AsyncDisposableStack()
let cluster: SharedCluster
let namespace: string
let directory: string

beforeAll(async () => {
  cluster = await sharedCluster()
  namespace = stack.use(await testNamespace(cluster)).name
  directory = stack.use(await temporaryDirectory('crds')).path
})

afterAll(() => stack.disposeAsync())

describe('GitRepository', () => {
  it('gets its defaults and a status that says that nobody has looked yet', async () => {
    const made = await create(repository('defaults', { verify: { secretRef: { name: 'keys' } } }))
    expect(made.spec).toMatchObject({ timeout: '60s', verify: { mode: 'HEAD' } })
    expect(made.status).toEqual({ observedGeneration: -1 })
  })

  it.each([
    ['an address by scp', { url: 'git@example.com:fleet.git' }, 'spec.url'],
    ['an interval without a unit', { interval: '10' }, 'spec.interval'],
    ['a timeout in hours', { timeout: '1h' }, 'spec.timeout'],
    ['an unknown provider', { provider: 'gitlab' }, 'spec.provider'],
    [
      'an unknown verification mode',
      { verify: { mode: 'All', secretRef: { name: 'keys' } } },
      'spec.verify.mode',
    ],
    ['verification without keys', { verify: { mode: 'HEAD' } }, 'spec.verify.secretRef'],
    ['an include without a repository', { include: [{ fromPath: 'a' }] }, 'spec.include[0].repository'],
    [
      'a service account without a cloud',
      { serviceAccountName: 'git' },
      "serviceAccountName can only be set when provider is 'azure' or 'aws'",
    ],
  ])('with %s is refused, and the field is named', async (_, spec, says) => {
    await expect(create(repository('refused', spec))).rejects.toThrow(says)
  })

  it.each(['interval', 'url'])('without %s is refused', async (field) => {
    const object = repository('incomplete', {})
    delete (object.spec as Record<string, unknown>)[field]
    await expect(create(object)).rejects.toThrow(`spec.${field}: Required value`)
  })

  it('takes every field that Flux has, and drops none', async () => {
    const spec = {
      url: 'ssh://git@example.com/fleet.git',
      interval: '1m30s',
      timeout: '20s',
      ref: { branch: 'main', tag: 'v1', semver: '1.x', name: 'refs/heads/main', commit: 'a'.repeat(40) },
      secretRef: { name: 'credentials' },
      provider: 'aws',
      serviceAccountName: 'git',
      proxySecretRef: { name: 'proxy' },
      verify: { mode: 'TagAndHEAD', secretRef: { name: 'keys' } },
      ignore: '*.md',
      include: [{ repository: { name: 'other' }, fromPath: 'a', toPath: 'b' }],
      recurseSubmodules: true,
      sparseCheckout: ['apps'],
      suspend: true,
    }
    expect((await create(repository('every-field', spec))).spec).toEqual(spec)
  })

  it('shows address, age, readiness and message in kubectl get', async () => {
    await create(repository('shown', {}))
    await setStatus('gitrepositories', 'shown', { conditions: [readyCondition], observedGeneration: 1 })
    const [header, row] = await table('gitrepositories.source.toolkit.fluxcd.io/shown')
    expect(header).toMatch(/^NAME\s+URL\s+AGE\s+READY\s+STATUS$/)
    expect(row).toMatch(/^shown\s+https:\/\/example.com\/fleet.git\s+\d+s\s+True\s+stored artifact$/)
  })

  it('is found by its short name and its categories', async () => {
    await create(repository('found', {}))
    for (const name of ['gitrepo', 'fluxcd', 'fluxcd-sources'])
      expect(await cluster.kubectl('get', name, '-n', namespace, '-o', 'name')).toContain('/found')
  })

  it('keeps a full status and refuses a broken condition', async () => {
    await create(repository('reported', {}))
    const artifact = {
      digest: `sha256:${'a'.repeat(64)}`,
      lastUpdateTime: '2026-01-01T00:00:00Z',
      path: 'gitrepository/default/reported/abc.tar.gz',
      revision: 'main@sha1:abc',
      size: 10,
      url: 'http://source/abc.tar.gz',
      metadata: { a: 'b' },
    }
    const status = {
      artifact,
      includedArtifacts: [artifact],
      observedIgnore: '*.md',
      observedInclude: [{ repository: { name: 'other' } }],
      observedRecurseSubmodules: true,
      observedSparseCheckout: ['apps'],
      sourceVerificationMode: 'HEAD',
      lastHandledReconcileAt: 'now',
      observedGeneration: 1,
      conditions: [readyCondition],
    }
    expect((await setStatus('gitrepositories', 'reported', status)).status).toEqual(status)
    const broken = { conditions: [{ ...readyCondition, reason: 'no words' }] }
    await expect(setStatus('gitrepositories', 'reported', broken)).rejects.toThrow(
      'status.conditions[0].reason',
    )
  })
})

describe('OCIRepository', () => {
  it('gets its defaults and a status that says that nobody has looked yet', async () => {
    const made = await create(oci('defaults', { verify: { secretRef: { name: 'keys' } } }))
    expect(made.spec).toMatchObject({ timeout: '60s', provider: 'generic', verify: { provider: 'cosign' } })
    expect(made.status).toEqual({ observedGeneration: -1 })
  })

  it.each([
    ['an address by https', { url: 'https://ghcr.io/org/app' }, 'spec.url'],
    ['an unknown operation', { layerSelector: { operation: 'unpack' } }, 'spec.layerSelector.operation'],
    ['an identity without a subject', { verify: { matchOIDCIdentity: [{ issuer: 'x' }] } }, 'subject'],
  ])('with %s is refused, and the field is named', async (_, spec, says) => {
    await expect(create(oci('refused', spec))).rejects.toThrow(says)
  })

  it('takes every field that Flux has, and drops none', async () => {
    const spec = {
      url: 'oci://ghcr.io/org/app',
      interval: '1m30s',
      timeout: '20s',
      ref: { tag: 'latest', semver: '1.x', semverFilter: '.*-rc.*', digest: `sha256:${'a'.repeat(64)}` },
      layerSelector: { mediaType: 'application/x-tar', operation: 'copy' },
      secretRef: { name: 'credentials' },
      provider: 'aws',
      serviceAccountName: 'puller',
      certSecretRef: { name: 'ca' },
      proxySecretRef: { name: 'proxy' },
      insecure: true,
      ignore: '*.md',
      suspend: true,
      verify: {
        provider: 'notation',
        secretRef: { name: 'keys' },
        trustedRootSecretRef: { name: 'root' },
        matchOIDCIdentity: [{ issuer: '^https://x$', subject: '^y$' }],
      },
    }
    expect((await create(oci('complete', spec))).spec).toEqual(spec)
  })
})

describe('Bucket', () => {
  it.each([
    [
      'a service account and keys',
      { provider: 'aws', serviceAccountName: 'a', secretRef: { name: 'b' } },
      'cannot set both',
    ],
    ['a service account without a cloud', { serviceAccountName: 'a' }, 'serviceAccountName is not supported'],
    [
      'aws tokens without aws',
      { sts: { provider: 'aws', endpoint: 'https://sts' } },
      "'ldap' is the only supported",
    ],
    [
      'tokens of a cloud that has none',
      { provider: 'gcp', sts: { provider: 'aws', endpoint: 'https://sts' } },
      'STS',
    ],
  ])('with %s is refused, and why is said', async (_, spec, says) => {
    await expect(create(bucket('refused', spec))).rejects.toThrow(says)
  })

  it('takes every field that Flux has, and drops none', async () => {
    const spec = {
      bucketName: 'fleet',
      endpoint: 'minio.example.com:9000',
      interval: '1m30s',
      timeout: '20s',
      provider: 'generic',
      sts: {
        provider: 'ldap',
        endpoint: 'https://sts.example.com',
        secretRef: { name: 'ldap' },
        certSecretRef: { name: 'ca' },
      },
      insecure: true,
      region: 'eu-west-1',
      prefix: 'apps/',
      secretRef: { name: 'keys' },
      certSecretRef: { name: 'ca' },
      proxySecretRef: { name: 'proxy' },
      ignore: '*.md',
      suspend: true,
    }
    expect((await create(bucket('complete', spec))).spec).toEqual(spec)
  })
})

describe('ExternalArtifact', () => {
  it('takes every field that Flux has, and has no status before its maker writes one', async () => {
    const spec = { sourceRef: { apiVersion: 'example.com/v1', kind: 'Maker', name: 'a', namespace: 'b' } }
    const made = await create(source('ExternalArtifact', 'complete', spec))
    expect(made.spec).toEqual(spec)
    expect(made.status).toBeUndefined()
  })
})

describe('Kustomization', () => {
  it('gets its defaults and a status that says that nobody has looked yet', async () => {
    const from = [{ kind: 'ConfigMap', name: 'settings' }]
    const made = await create(kustomization('defaults', { postBuild: { substituteFrom: from } }))
    expect(made.spec).toMatchObject({
      force: false,
      postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'settings', optional: false }] },
    })
    expect(made.status).toEqual({ observedGeneration: -1 })
  })

  it.each([
    ['an unknown kind of source', { sourceRef: { kind: 'Git', name: 'fleet' } }, 'spec.sourceRef.kind'],
    ['a source without a name', { sourceRef: { kind: 'GitRepository' } }, 'spec.sourceRef.name'],
    ['an interval in days', { interval: '1d' }, 'spec.interval'],
    ['a negative retry interval', { retryInterval: '-1m' }, 'spec.retryInterval'],
    ['a timeout in words', { timeout: 'long' }, 'spec.timeout'],
    ['an unknown deletion policy', { deletionPolicy: 'Keep' }, 'spec.deletionPolicy'],
    ['an empty target namespace', { targetNamespace: '' }, 'spec.targetNamespace'],
    ['a target namespace that is too long', { targetNamespace: 'n'.repeat(64) }, 'spec.targetNamespace'],
    ['a name prefix that is too long', { namePrefix: 'n'.repeat(201) }, 'spec.namePrefix'],
    ['an unknown decryption provider', { decryption: { provider: 'vault' } }, 'spec.decryption.provider'],
    ['unknown build metadata', { buildMetadata: ['everything'] }, 'spec.buildMetadata[0]'],
    ['a patch without a patch', { patches: [{ target: { kind: 'Deployment' } }] }, 'spec.patches[0].patch'],
    [
      'variables from a kind without data',
      substituteFrom({ kind: 'Pod', name: 'a' }),
      'substituteFrom[0].kind',
    ],
    ['variables from nowhere', substituteFrom({ kind: 'Secret', name: '' }), 'substituteFrom[0].name'],
    ['no way to another cluster', { kubeConfig: {} }, 'exactly one of spec.kubeConfig.configMapRef'],
    [
      'two ways to another cluster',
      { kubeConfig: { secretRef: { name: 'a' }, configMapRef: { name: 'b' } } },
      'exactly one of spec.kubeConfig.configMapRef',
    ],
  ])('with %s is refused, and the field is named', async (_, spec, says) => {
    await expect(create(kustomization('refused', spec))).rejects.toThrow(says)
  })

  it.each(['interval', 'prune', 'sourceRef'])('without %s is refused', async (field) => {
    const object = kustomization('incomplete', {})
    delete (object.spec as Record<string, unknown>)[field]
    await expect(create(object)).rejects.toThrow(`spec.${field}: Required value`)
  })

  it('takes every field that Flux has, and drops none', async () => {
    const target = {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
      name: 'web',
      namespace: 'shop',
      labelSelector: 'a=b',
      annotationSelector: 'c=d',
    }
    const spec = {
      sourceRef: {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'Bucket',
        name: 'fleet',
        namespace: 'other',
      },
      path: './apps',
      interval: '10m',
      retryInterval: '1m',
      timeout: '2h',
      prune: true,
      deletionPolicy: 'WaitForTermination',
      force: true,
      suspend: true,
      wait: true,
      healthChecks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' }],
      healthCheckExprs: [{ apiVersion: 'a/v1', kind: 'B', inProgress: 'x', failed: 'y', current: 'z' }],
      dependsOn: [{ name: 'base', namespace: 'other', readyExpr: 'true' }],
      targetNamespace: 'shop',
      namePrefix: 'a-',
      nameSuffix: '-b',
      commonMetadata: { labels: { a: 'b' }, annotations: { c: 'd' } },
      patches: [{ patch: '- op: remove', target }],
      images: [{ name: 'web', newName: 'shop/web', newTag: 'v1', digest: 'sha256:1' }],
      components: ['../tls'],
      ignoreMissingComponents: true,
      buildMetadata: ['originAnnotations', 'transformerAnnotations'],
      ignore: [{ paths: ['/spec/replicas'], target }],
      postBuild: {
        substitute: { a: 'b' },
        substituteFrom: [{ kind: 'Secret', name: 'settings', optional: true }],
        substituteStrategy: 'Always',
      },
      decryption: { provider: 'sops', secretRef: { name: 'keys' }, serviceAccountName: 'kms' },
      kubeConfig: { secretRef: { name: 'other-cluster', key: 'value.yaml' } },
      serviceAccountName: 'deployer',
    }
    expect((await create(kustomization('every-field', spec))).spec).toEqual(spec)
  })

  it('keeps a full status', async () => {
    await create(kustomization('reported', {}))
    const status = {
      conditions: [readyCondition],
      history: [
        {
          digest: 'sha256:abc',
          firstReconciled: '2026-01-01T00:00:00Z',
          lastReconciled: '2026-01-01T00:00:01Z',
          lastReconciledDuration: '1.5s',
          lastReconciledStatus: 'ReconciliationSucceeded',
          totalReconciliations: 2,
          metadata: { revision: 'main@sha1:abc' },
        },
      ],
      inventory: { entries: [{ id: 'shop_web_apps_Deployment', v: 'v1' }] },
      lastAppliedRevision: 'main@sha1:abc',
      lastAppliedOriginRevision: 'abc',
      lastAttemptedRevision: 'main@sha1:abc',
      lastHandledReconcileAt: 'now',
      observedGeneration: 1,
    }
    expect((await setStatus('kustomizations', 'reported', status)).status).toEqual(status)
  })

  it('shows age, readiness and message in kubectl get, by its short name too', async () => {
    await create(kustomization('shown', {}))
    await setStatus('kustomizations', 'shown', { conditions: [readyCondition], observedGeneration: 1 })
    const [header, row] = await table('ks/shown')
    expect(header).toMatch(/^NAME\s+AGE\s+READY\s+STATUS$/)
    expect(row).toMatch(/^shown\s+\d+s\s+True\s+stored artifact$/)
  })
})

it('kubectl explain tells what a field is for', async () => {
  const explained = await cluster.kubectl('explain', 'kustomizations.kustomize.toolkit.fluxcd.io.spec.prune')
  expect(explained).toContain('Delete objects that are no longer in Git.')
})

const readyCondition = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  reason: 'Succeeded',
  message: 'stored artifact',
}

interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string }
  spec: object
}

function repository(name: string, spec: object): Manifest {
  const required = { url: 'https://example.com/fleet.git', interval: '1m' }
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name },
    spec: { ...required, ...spec },
  }
}

function oci(name: string, spec: object): Manifest {
  return source('OCIRepository', name, { url: 'oci://ghcr.io/org/app', interval: '1m', ...spec })
}

function bucket(name: string, spec: object): Manifest {
  const required = { bucketName: 'fleet', endpoint: 'minio.example.com', interval: '1m' }
  return source('Bucket', name, { ...required, ...spec })
}

function source(kind: string, name: string, spec: object): Manifest {
  return { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, metadata: { name }, spec }
}

function kustomization(name: string, spec: object): Manifest {
  const required = { sourceRef: { kind: 'GitRepository', name: 'fleet' }, interval: '1m', prune: true }
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name },
    spec: { ...required, ...spec },
  }
}

function substituteFrom(reference: object): object {
  return { postBuild: { substituteFrom: [reference] } }
}

async function create(object: Manifest): Promise<{ spec: unknown; status: unknown }> {
  const file = join(directory, `${object.kind}-${object.metadata.name}.json`)
  await writeFile(file, JSON.stringify(object))
  return parse(await cluster.kubectl('create', '-n', namespace, '-f', file, '-o', 'yaml'))
}

async function setStatus(plural: string, name: string, status: object): Promise<{ status: unknown }> {
  const patch = JSON.stringify({ status })
  const flags = ['--subresource=status', '--type=merge', `--patch=${patch}`, '-o', 'yaml']
  return parse(await cluster.kubectl('patch', plural, name, '-n', namespace, ...flags))
}

/** The lines that `kubectl get` prints, once the object has a message to show. */
async function table(what: string): Promise<string[]> {
  return waitFor(`a row of ${what}`, async () => {
    const lines = (await cluster.kubectl('get', what, '-n', namespace)).trim().split('\n')
    return lines[1]?.includes('True') ? lines : undefined
  })
}
