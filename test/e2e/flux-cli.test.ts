import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EXTERNAL_ARTIFACT, KUSTOMIZATION } from '@setpoint/contracts'
import {
  binary,
  type GitRepo,
  git,
  type RegistryServer,
  S3_USER,
  startRegistry,
  startS3Server,
  temporaryDirectory,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { NAMESPACE, START_TIMEOUT_MS, startWholeSet, type WholeSet } from './harness.ts'
import { configMapYaml } from './manifests.ts'

/** The real flux CLI takes Setpoint for Flux. */

let set: WholeSet
let repo: GitRepo
let program: string

beforeAll(async () => {
  program = await binary('flux')
  set = await startWholeSet()
  repo = await set.createFleet('fleet', { ...appFiles('one'), 'cluster/app.yaml': appKustomization })
  await set.applyKustomization('cluster')
  await set.waitReady('Kustomization', 'cluster')
  await set.waitReady('Kustomization', 'app')
}, START_TIMEOUT_MS)

afterAll(() => set?.[Symbol.asyncDispose]())

test('flux get all lists both kinds with their revision and state', async () => {
  const short = `main@sha1:${(await repo.head()).slice(0, 8)}`
  expect(rowsOf(await flux('get', 'all'))).toEqual([
    ['NAME', 'REVISION', 'SUSPENDED', 'READY', 'MESSAGE'],
    ['gitrepository/fleet', short, 'False', 'True', `stored artifact for revision '${short}'`],
    ['NAME', 'REVISION', 'SUSPENDED', 'READY', 'MESSAGE'],
    ['kustomization/app', short, 'False', 'True', `Applied revision: ${short}`],
    ['kustomization/cluster', short, 'False', 'True', `Applied revision: ${short}`],
  ])
})

test('flux get sources git and get kustomizations list one kind each', async () => {
  const names = (text: string) => rowsOf(text).map(([name]) => name)
  expect(names(await flux('get', 'sources', 'git'))).toEqual(['NAME', 'fleet'])
  expect(names(await flux('get', 'kustomizations'))).toEqual(['NAME', 'app', 'cluster'])
})

test('flux reconcile source git fetches a new commit at once', async () => {
  const commit = await repo.commit(appFiles('two'))
  expect(await flux('reconcile', 'source', 'git', 'fleet')).toContain(
    `✔ fetched revision main@sha1:${commit}`,
  )
  await set.waitConfigMap('first', { key: 'two' })
})

test('flux reconcile kustomization --with-source waits until the new commit is applied', async () => {
  const commit = await repo.commit(appFiles('three'))
  const said = await flux('reconcile', 'kustomization', 'app', '--with-source')
  expect(said).toContain(`✔ fetched revision main@sha1:${commit}`)
  expect(said).toContain(`✔ applied revision main@sha1:${commit}`)
  expect(await set.configMap('first')).toEqual({ key: 'three' })
})

test('flux suspend and resume work for a Kustomization', async () => {
  expect(await flux('suspend', 'kustomization', 'app')).toContain('✔ kustomization suspended')
  expect(rowsOf(await flux('get', 'kustomizations', 'app'))[1]?.[2]).toBe('True')
  const said = await flux('resume', 'kustomization', 'app')
  expect(said).toContain('✔ Kustomization app reconciliation completed')
  expect(said).toContain(`✔ applied revision main@sha1:${await repo.head()}`)
})

test('flux suspend and resume work for a GitRepository', async () => {
  expect(await flux('suspend', 'source', 'git', 'fleet')).toContain('✔ source git suspended')
  expect(rowsOf(await flux('get', 'sources', 'git'))[1]?.[2]).toBe('True')
  const said = await flux('resume', 'source', 'git', 'fleet')
  expect(said).toContain('✔ GitRepository fleet reconciliation completed')
})

test('flux tree shows what a Kustomization holds, through a Kustomization that it holds', async () => {
  expect((await flux('tree', 'kustomization', 'cluster')).trim()).toBe(
    [
      `Kustomization/${NAMESPACE}/cluster`,
      `└── Kustomization/${NAMESPACE}/app`,
      `    ├── ConfigMap/${NAMESPACE}/first`,
      `    └── ConfigMap/${NAMESPACE}/second`,
    ].join('\n'),
  )
})

test('flux trace leads from an object to its Kustomization and its commit', async () => {
  const said = await flux('trace', 'configmap', 'first')
  const value = (field: string) =>
    [...said.matchAll(new RegExp(`^${field}:\\s+(.*)$`, 'gm'))].map(([, text]) => text)
  expect(value('Object')).toEqual(['ConfigMap/first'])
  expect(value('Status')[0]).toBe('Managed by Flux')
  expect(value('Kustomization')).toEqual(['app'])
  expect(value('GitRepository')).toEqual(['fleet'])
  const revision = `main@sha1:${await repo.head()}`
  expect(value('Revision')).toEqual([revision, revision])
  expect(value('Message')).toEqual([
    `Applied revision: ${revision}`,
    `stored artifact for revision '${revision}'`,
  ])
})

test('flux events tells what was created and that the reconciliation finished', async () => {
  const said = await flux('events', '--for', 'Kustomization/app')
  expect(said).toMatch(/Normal\s+Progressing\s+Kustomization\/app\s+ConfigMap\/flux-system\/first created/)
  expect(said).toMatch(
    /ReconciliationSucceeded\s+Kustomization\/app\s+Reconciliation finished in \S+, next run in/,
  )
  expect(await flux('events', '--for', 'GitRepository/fleet')).toMatch(
    /Normal\s+NewArtifact\s+GitRepository\/fleet/,
  )
})

test('flux export gives back the spec of both kinds', async () => {
  const exported = parse(await flux('export', 'kustomization', 'app'))
  expect(exported).toMatchObject({ kind: 'Kustomization', spec: { path: './app', prune: true } })
  const source = parse(await flux('export', 'source', 'git', 'fleet'))
  expect(source).toMatchObject({ kind: 'GitRepository', spec: { url: repo.url, ref: { branch: 'main' } } })
})

test('flux diff kustomization finds no difference to what was applied', async () => {
  await using copy = await workingCopy(appFiles('three'))
  expect(await flux('diff', 'kustomization', 'app', '--path', join(copy.path, 'app'))).not.toMatch(
    /drifted|created|deleted/,
  )
})

test('flux diff kustomization shows what a change would do, by field', async () => {
  await using copy = await workingCopy({ 'app/first.yaml': configMapYaml('first', { key: 'changed' }) })
  const { code, said } = await run('diff', 'kustomization', 'app', '--path', join(copy.path, 'app'))
  expect(code).toBe(1)
  expect(said).toContain(`ConfigMap/${NAMESPACE}/first drifted`)
  expect(said).toMatch(/- three\s+\+ changed/)
  expect(said).toContain(`ConfigMap/${NAMESPACE}/second deleted`)
})

test('flux stats counts the objects and the size of the artifacts', async () => {
  const rows = rowsOf(await flux('stats'))
  const [, running, failing, suspended, storage] = rows.find(([name]) => name === 'GitRepository') ?? []
  expect([running, failing, suspended]).toEqual(['1', '0', '0'])
  expect(storage).toMatch(/^\d+(\.\d+)? (B|KiB)$/)
  expect(rows.find(([name]) => name === 'Kustomization')?.slice(1, 4)).toEqual(['2', '0', '0'])
})

test('flux create source git and create kustomization wait for Ready; delete takes the objects away', async () => {
  const source = await flux(
    'create',
    'source',
    'git',
    'made',
    `--url=${repo.url}`,
    '--branch=main',
    '--interval=1m',
  )
  expect(source).toContain(`✔ fetched revision: main@sha1:${await repo.head()}`)
  const flags = [
    '--source=GitRepository/made',
    '--path=./app',
    '--prune=true',
    '--wait=true',
    '--target-namespace=default',
  ]
  const said = await flux('create', 'kustomization', 'made', ...flags, '--interval=5m')
  expect(said).toContain('✔ Kustomization made is ready')
  const live = () =>
    set.plane.kubectl('-n', 'default', 'get', 'configmap', 'first', '--ignore-not-found', '-o', 'name')
  expect(await live()).toContain('configmap/first')
  expect(await flux('delete', 'kustomization', 'made', '--silent')).toContain('✔ kustomization deleted')
  expect(await flux('delete', 'source', 'git', 'made', '--silent')).toContain('✔ source git deleted')
  expect(await live()).toBe('')
  await expect(set.kustomization('made')).rejects.toThrow('does not exist')
})

test('flux get kustomizations --status-selector ready=false finds what failed, with the reason', async () => {
  await set.applyKustomization('broken', { path: './nowhere', retryInterval: '10m' })
  const reason = await set.waitNotReady('Kustomization', 'broken', 'ArtifactFailed')
  const [, row] = rowsOf(await flux('get', 'kustomizations', '--status-selector', 'ready=false'))
  expect(row).toEqual(['broken', 'False', 'False', reason])
  await set.remove(KUSTOMIZATION, 'broken')
})

test('flux push artifact, create and reconcile source oci: what is pushed is in the cluster', async () => {
  await using registry = await startRegistry()
  await using directory = await temporaryDirectory('manifests')
  const url = `oci://${registry.host}/fleet/manifests`
  const push = async (value: string) => {
    await writeFile(join(directory.path, 'pushed.yaml'), configMapYaml('pushed', { key: value }))
    const origin = [`--path=${directory.path}`, '--source=local', `--revision=main@sha1:${value}`]
    await flux('push', 'artifact', `${url}:stable`, ...origin, '--insecure-registry')
  }
  await push('one')
  const made = await flux(
    ...['create', 'source', 'oci', 'pushed', `--url=${url}`, '--tag=stable', '--insecure', '--interval=10m'],
  )
  expect(made).toMatch(/✔ fetched revision: stable@sha256:[0-9a-f]{64}/)
  const flags = ['--source=OCIRepository/pushed', '--prune=true', `--target-namespace=${NAMESPACE}`]
  await flux('create', 'kustomization', 'pushed', ...flags, '--interval=10m')
  await set.waitConfigMap('pushed', { key: 'one' })
  await push('two')
  expect(await flux('reconcile', 'source', 'oci', 'pushed')).toMatch(/✔ fetched revision stable@sha256:/)
  await set.waitConfigMap('pushed', { key: 'two' })
  await expect
    .poll(async () => (await set.kustomization('pushed')).status?.lastAppliedOriginRevision, {
      timeout: 20_000,
    })
    .toBe('main@sha1:two')
  const [, row] = rowsOf(await flux('get', 'sources', 'oci'))
  expect(row?.slice(0, 4)).toEqual(['pushed', expect.stringMatching(/^stable@sha256:/), 'False', 'True'])
  await flux('delete', 'kustomization', 'pushed', '--silent')
  await flux('delete', 'source', 'oci', 'pushed', '--silent')
  await set.waitConfigMap('pushed', undefined)
})

describe('flux and images', () => {
  beforeAll(async () => {
    await using stack = new AsyncDisposableStack()
    registry = stack.use(await startRegistry())
    await registry.push('team/web', '1.0.0')
    const marker = `# {"$imagepolicy": "${NAMESPACE}:web"}`
    images = await set.createFleet('images', {
      'web.yaml': `image: ${registry.host}/team/web:0.9.0 ${marker}\n`,
    })
    resources = stack.move()
  }, START_TIMEOUT_MS)
  afterAll(() => resources?.disposeAsync())

  let registry: RegistryServer
  let images: GitRepo
  let resources: AsyncDisposableStack | undefined
  const image = () => `${registry.host}/team/web`

  test('flux create image policy and create image update wait for Ready', async () => {
    await createRepository()
    const policy = await flux('create', 'image', 'policy', 'web', '--image-ref=web', '--select-semver=1.x')
    expect(policy).toContain('✔ ImagePolicy reconciliation completed')
    const author = ['--author-name=flux', '--author-email=flux@example.com']
    const branches = ['--git-repo-ref=images', '--checkout-branch=main', '--push-branch=main']
    const update = await flux('create', 'image', 'update', 'web', ...author, ...branches, '--interval=10m')
    expect(update).toContain('✔ ImageUpdateAutomation reconciliation completed')
  })

  test('flux get image all lists the three kinds with what they stand at', async () => {
    const rows = rowsOf(await flux('get', 'image', 'all'))
    const row = (name: string) => rows.find(([found]) => found === name)
    const [, , suspended, ready, message] = row('imagerepository/web') ?? []
    expect([suspended, ready]).toEqual(['False', 'True'])
    expect(message).toMatch(/^successful scan: found 1 tags with checksum \d+$/)
    const chosen = `Latest image tag for ${image()} resolved to 1.0.0`
    expect(row('imagepolicy/web')).toEqual(['imagepolicy/web', image(), '1.0.0', 'True', chosen])
    expect(row('imageupdateautomation/web')?.slice(2)).toEqual(['False', 'True', 'repository up-to-date'])
  })

  test('flux reconcile image repository, policy and update do what they say', async () => {
    await registry.push('team/web', '1.1.0')
    expect(await flux('reconcile', 'image', 'repository', 'web')).toContain('✔ scan fetched 2 tags')
    const chosen = await flux('reconcile', 'image', 'policy', 'web')
    expect(chosen).toContain(`✔ selected ref ${image()}:1.1.0`)
    const updated = await flux('reconcile', 'image', 'update', 'web')
    expect(updated).toContain('repository up-to-date')
    expect(await git(['show', 'main:web.yaml'], { cwd: images.dir })).toContain('team/web:1.1.0')
  })

  test.each([
    ['repository', '✔ ImageRepository web reconciliation completed'],
    ['policy', '✔ ImagePolicy web reconciliation completed'],
    ['update', '✔ ImageUpdateAutomation web reconciliation completed'],
  ])('flux suspend and resume work for an image %s', async (kind, completed) => {
    expect(await flux('suspend', 'image', kind, 'web')).toMatch(/✔ image .+ suspended/)
    expect(await flux('resume', 'image', kind, 'web')).toContain(completed)
  })

  test('flux export and delete know the image kinds', async () => {
    const exported = parse(await flux('export', 'image', 'update', 'web'))
    expect(exported).toMatchObject({ kind: 'ImageUpdateAutomation', spec: { interval: '10m0s' } })
    for (const kind of ['update', 'policy', 'repository'])
      expect(await flux('delete', 'image', kind, 'web', '--silent')).toMatch(/✔ image .+ deleted/)
  })

  /** flux has no flag for a registry without TLS. */
  async function createRepository(): Promise<void> {
    await set.kube.create({
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind: 'ImageRepository',
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { image: image(), interval: '10m', insecure: true },
    })
  }
})

test('flux create and reconcile source bucket: what is in the bucket is in the cluster', async () => {
  await using s3 = await startS3Server()
  await s3.createBucket('fleet')
  await s3.put('fleet', 'app/stored.yaml', configMapYaml('stored', { key: 'one' }))
  const { accessKeyId, secretAccessKey } = S3_USER
  const way = [`--endpoint=${s3.endpoint}`, `--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`]
  const made = await flux(
    ...[
      'create',
      'source',
      'bucket',
      'stored',
      '--bucket-name=fleet',
      ...way,
      '--insecure',
      '--interval=10m',
    ],
  )
  expect(made).toMatch(/✔ fetched revision: sha256:[0-9a-f]{64}/)
  const flags = ['--source=Bucket/stored', '--path=./app', '--prune=true', `--target-namespace=${NAMESPACE}`]
  await flux('create', 'kustomization', 'stored', ...flags, '--interval=10m')
  await set.waitConfigMap('stored', { key: 'one' })
  await s3.put('fleet', 'app/stored.yaml', configMapYaml('stored', { key: 'two' }))
  expect(await flux('reconcile', 'source', 'bucket', 'stored')).toMatch(/✔ fetched revision sha256:/)
  await set.waitConfigMap('stored', { key: 'two' })
  await flux('delete', 'kustomization', 'stored', '--silent')
  await flux('delete', 'source', 'bucket', 'stored', '--silent')
  await set.waitConfigMap('stored', undefined)
})

test('an ExternalArtifact that names an archive of the source service is applied', async () => {
  const { artifact } = (await set.gitRepository('fleet')).status ?? {}
  const { group, version, kind } = EXTERNAL_ARTIFACT
  const metadata = { namespace: NAMESPACE, name: 'external' }
  await set.kube.create({ apiVersion: `${group}/${version}`, kind, metadata, spec: {} })
  await set.kube.mergePatch(EXTERNAL_ARTIFACT, metadata, { status: { artifact } }, { subresource: 'status' })
  const sourceRef = { kind: 'ExternalArtifact', name: 'external' } as const
  await set.applyKustomization('external', { sourceRef, path: './app', targetNamespace: 'default' })
  await set.waitReady('Kustomization', 'external')
  expect((await set.kustomization('external')).status?.lastAppliedRevision).toBe(artifact?.revision)
  await set.remove(KUSTOMIZATION, 'external')
  await set.remove(EXTERNAL_ARTIFACT, 'external')
})

/** What flux says; an exit code other than 0 is an error. */
async function flux(...args: string[]): Promise<string> {
  const { code, said } = await run(...args)
  if (code !== 0) throw new Error(`flux ${args.join(' ')} ended with ${code}:\n${said}`)
  return said
}

/** Both outputs together: flux writes its progress to standard error. */
function run(...args: string[]): Promise<{ code: number; said: string }> {
  const all = [`--kubeconfig=${set.plane.kubeconfig}`, `--namespace=${NAMESPACE}`, ...args]
  return new Promise((resolve) => {
    execFile(program, all, { timeout: 45_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, said: stdout + stderr })
    })
  })
}

/** The cells of its tables. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) =>
    line
      .split('\t')
      .map((cell) => cell.trim())
      .filter((cell) => cell !== ''),
  )
}

async function workingCopy(files: Record<string, string>) {
  const directory = await temporaryDirectory('working-copy')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, path)), { recursive: true })
    await writeFile(join(directory.path, path), text)
  }
  return directory
}

function appFiles(value: string): Record<string, string> {
  return {
    'app/first.yaml': configMapYaml('first', { key: value }),
    'app/second.yaml': configMapYaml('second'),
  }
}

const appKustomization = `
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app}
spec:
  interval: 10m
  path: ./app
  prune: true
  targetNamespace: ${NAMESPACE}
  sourceRef: {kind: GitRepository, name: fleet}
`
