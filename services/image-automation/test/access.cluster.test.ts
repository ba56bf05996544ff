import { execFile } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type CloudServer,
  type GitRepo,
  git,
  REGISTRY_USER,
  type RegistryServer,
  startCloudServer,
  startGitServer,
  startProxy,
  startRegistry,
  startSshServer,
  temporaryDirectory,
  testNamespace,
  waitFor,
} from '@setpoint/testkit'
import { generateKey } from 'openpgp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AUTHOR, type Setup, startSetup } from './harness.ts'

/** What the fields about access, digests, signatures and pushes do, with the real other side of each. */

const run = promisify(execFile)
const stack = new AsyncDisposableStack()
let setup: Setup
let cloud: CloudServer
let ecr: RegistryServer
const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
beforeAll(async () => {
  cloud = stack.use(await startCloudServer({ secret: REGISTRY_USER.password }))
  ecr = stack.use(await startRegistry({ tls: true, auth: 'basic', users: ['AWS'], names: [ECR] }))
  const trusted = join(stack.use(await temporaryDirectory('cloud')).path, 'ca.pem')
  await writeFile(trusted, ecr.caPem ?? '')
  setup = stack.use(await startSetup({ env: { ...cloud.environment.aws, NODE_EXTRA_CA_CERTS: trusted } }))
})
afterAll(() => stack.disposeAsync())

const KIND = 'ImageUpdateAutomation'
const pushed = (name: string) =>
  setup.until(KIND, name, 'has pushed', ({ status }) => status?.lastPushCommit !== undefined)
const loginFor = ({ host }: RegistryServer, user: object = REGISTRY_USER) => ({
  '.dockerconfigjson': JSON.stringify({ auths: { [host]: user } }),
})
const tagCount = async (name: string) =>
  (await setup.untilReady('ImageRepository', name, 'True')).status?.lastScanResult?.tagCount
const messageOf = async (name: string, reason: string) => {
  const { status } = await setup.untilReady('ImageRepository', name, 'False', reason)
  return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
}

describe('a registry is reached', () => {
  it('with the pull secrets of a ServiceAccount, and with a Secret of its own; another user is refused', async () => {
    const registry = stack.use(await startRegistry({ auth: 'basic' }))
    await registry.push('team/private', '1.0.0')
    await setup.createSecret('login', loginFor(registry))
    await setup.createSecret('wrong', loginFor(registry, { ...REGISTRY_USER, password: 'not-it' }))
    const metadata = { namespace: setup.namespace, name: 'puller' }
    await setup.kube.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata,
      imagePullSecrets: [{ name: 'login' }],
    })
    const spec = { image: `${registry.host}/team/private`, interval: '10m', insecure: true }
    await setup.create('ImageRepository', 'by-account', { ...spec, serviceAccountName: 'puller' })
    await setup.create('ImageRepository', 'by-secret', { ...spec, secretRef: { name: 'login' } })
    await setup.create('ImageRepository', 'refused', { ...spec, secretRef: { name: 'wrong' } })
    await setup.create('ImageRepository', 'nobody', { ...spec, serviceAccountName: 'nobody' })
    expect(await tagCount('by-account')).toBe(1)
    expect(await tagCount('by-secret')).toBe(1)
    expect(await messageOf('refused', 'AuthenticationFailed')).not.toContain('not-it')
    expect(await messageOf('nobody', 'AuthenticationFailed')).toContain('/nobody" does not exist')
  })

  it('as a registry of AWS, with the identity of the service; and only where it is one', async () => {
    await ecr.push('team/app', '1.0.0')
    const proxy = stack.use(await startProxy({ kind: 'http', routes: { [`${ECR}:443`]: ecr.host } }))
    await setup.createSecret('to-ecr', { address: proxy.address })
    const spec = { provider: 'aws', interval: '10m', proxySecretRef: { name: 'to-ecr' } } as const
    await setup.create('ImageRepository', 'ecr', { ...spec, image: `${ECR}/team/app` })
    await setup.create('ImageRepository', 'not-ecr', { ...spec, image: `${setup.registry.host}/team/app` })
    await setup.create('ImageRepository', 'gated', {
      ...spec,
      image: `${ECR}/team/app`,
      serviceAccountName: 'default',
    })
    expect(await tagCount('ecr')).toBe(1)
    expect(cloud.state.asked).toEqual(['pod identity', 'ecr GetAuthorizationToken in eu-west-1 by ASIAPOD'])
    expect(await messageOf('not-ecr', 'AuthenticationFailed')).toContain('is no registry of Amazon ECR')
    expect(await messageOf('gated', 'FeatureGateDisabled')).toContain('ObjectLevelWorkloadIdentity')
  })

  it('with a token, by a private authority, and with a client certificate', async () => {
    const tokens = stack.use(await startRegistry({ auth: 'token' }))
    await tokens.push('team/token', '1.0.0')
    await setup.createSecret('token-login', loginFor(tokens))
    const mutual = stack.use(await startRegistry({ clientCertificates: true }))
    await mutual.push('team/tls', '1.0.0')
    const { caPem = '', client } = mutual
    const both = { 'ca.crt': caPem, 'tls.crt': client?.cert ?? '', 'tls.key': client?.key ?? '' }
    await setup.createSecret('mutual', both)
    await setup.createSecret('authority', { 'ca.crt': caPem })
    const interval = '10m'
    await setup.create('ImageRepository', 'token', {
      image: `${tokens.host}/team/token`,
      interval,
      insecure: true,
      secretRef: { name: 'token-login' },
    })
    const image = `${mutual.host}/team/tls`
    await setup.create('ImageRepository', 'mutual', { image, interval, certSecretRef: { name: 'mutual' } })
    await setup.create('ImageRepository', 'no-cert', {
      image,
      interval,
      certSecretRef: { name: 'authority' },
    })
    await setup.create('ImageRepository', 'no-trust', { image, interval })
    expect(await tagCount('token')).toBe(1)
    expect(await tagCount('mutual')).toBe(1)
    await setup.untilReady('ImageRepository', 'no-cert', 'False', 'ReadOperationFailed')
    await setup.untilReady('ImageRepository', 'no-trust', 'False', 'ReadOperationFailed')
  })

  it('through a proxy with a password, as Git is', async () => {
    const credentials = { username: 'ada', password: 'open-sesame' }
    const proxy = stack.use(await startProxy({ kind: 'http', credentials }))
    await setup.createSecret('proxy', { address: proxy.address, ...credentials })
    await setup.registry.push('team/proxied', '1.0.0')
    const proxySecretRef = { name: 'proxy' }
    const repo = await setup.circle('proxied', { repository: { proxySecretRef }, source: { proxySecretRef } })
    await pushed('proxied')
    expect(await setup.file(repo, 'app.yaml')).toContain('proxied:1.0.0')
    expect(proxy.targets).toContain(setup.registry.host)
    expect(proxy.targets).toContain(new URL(setup.git.url).host)
  })
})

it('every page of tags is read, and those that spec.exclusionList names are left out', async () => {
  const numbered = (name: string) => Array.from({ length: 1_200 }, (_, at) => `${name}-${at}`)
  await setup.registry.pushMany('team/pages', [...numbered('build'), ...numbered('test'), 'a.sig'])
  const spec = { image: `${setup.registry.host}/team/pages`, interval: '10m', insecure: true }
  await setup.create('ImageRepository', 'pages', spec)
  expect(await tagCount('pages')).toBe(2_400)
  await setup.patch('ImageRepository', 'pages', { exclusionList: ['^test-', '-9.*'] })
  const { status } = await setup.until('ImageRepository', 'pages', 'has fewer tags', (object) => {
    return object.status?.observedExclusionList?.length === 2
  })
  const left = numbered('build').filter((tag) => !tag.includes('-9'))
  expect(status?.lastScanResult?.tagCount).toBe(left.length + 1)
  await setup.patch('ImageRepository', 'pages', { exclusionList: ['('] })
  expect(await messageOf('pages', 'InvalidExclusionList')).toContain('spec.exclusionList')
})

it('a policy of another namespace is let in when spec.accessFrom says so, and at once', async () => {
  const { name: namespace } = stack.use(await testNamespace({ kubectl: setup.kubectl }))
  await setup.registry.push('team/lent', '1.0.0')
  const image = `${setup.registry.host}/team/lent`
  await setup.create('ImageRepository', 'lent', { image, interval: '10m', insecure: true })
  await setup.untilReady('ImageRepository', 'lent', 'True')
  const key = { namespace, name: 'borrower' }
  await setup.kube.create({
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImagePolicy',
    metadata: { ...key, labels: setup.labels },
    spec: {
      imageRepositoryRef: { name: 'lent', namespace: setup.namespace },
      policy: { semver: { range: '*' } },
    },
  })
  const reason = () => setup.readyReason('ImagePolicy', key)
  await waitFor('it is kept out', async () => (await reason()) === 'AccessDenied')
  const matchLabels = { 'kubernetes.io/metadata.name': namespace }
  await setup.patch('ImageRepository', 'lent', { accessFrom: { namespaceSelectors: [{ matchLabels }] } })
  await waitFor('it is let in', async () => (await reason()) === 'Succeeded', { timeoutMs: 15_000 })
})

it('digests: never, once for a tag, or as the tag moves, which is told', async () => {
  const first = await setup.registry.push('team/digests', '1.0.0', 'first')
  const image = `${setup.registry.host}/team/digests`
  await setup.create('ImageRepository', 'digests', { image, interval: '10m', insecure: true })
  const policy = { imageRepositoryRef: { name: 'digests' }, policy: { semver: { range: '*' } } }
  const forms = {
    never: {},
    once: { digestReflectionPolicy: 'IfNotPresent' },
    always: { digestReflectionPolicy: 'Always', interval: '10m' },
  } as const
  const names = Object.keys(forms)
  for (const [name, form] of Object.entries(forms))
    await setup.create('ImagePolicy', name, { ...policy, ...form })
  const digests = async () =>
    Promise.all(
      names.map(
        async (name) => (await setup.untilReady('ImagePolicy', name, 'True')).status?.latestRef?.digest,
      ),
    )
  expect(await digests()).toEqual([undefined, first, first])
  const second = await setup.registry.push('team/digests', '1.0.0', 'second')
  for (const name of names) await setup.request('ImagePolicy', name)
  expect(await digests()).toEqual([undefined, first, second])
  await waitFor('the move is told', async () =>
    (await setup.events('always')).some(
      ({ reason, message }) => reason === 'TagMoved' && message.includes(first) && message.includes(second),
    ),
  )
})

describe('a commit is pushed', () => {
  it('to a refspec too, with push options, also when the second push fails at first', async () => {
    await setup.registry.push('team/reviewed', '1.0.0')
    const repo = await setup.git.create('reviewed')
    await git(['config', 'receive.advertisePushOptions', 'true'], { cwd: repo.dir })
    const hook =
      'while read old new ref; do\n  [ "$ref" = refs/heads/review ] && [ ! -e go ] && exit 1\n  echo "$ref $GIT_PUSH_OPTION_0" >> pushes\ndone\nexit 0'
    await install(repo, 'pre-receive', hook)
    const push = { refspec: 'refs/heads/main:refs/heads/review', options: { topic: 'images' } }
    await setup.circle('reviewed', { repo, git: { push } })
    await setup.untilReady(KIND, 'reviewed', 'False', 'GitOperationFailed')
    await writeFile(join(repo.dir, 'go'), '')
    await setup.request(KIND, 'reviewed')
    await pushed('reviewed')
    expect(await repo.head('review')).toBe(await repo.head())
    expect(await setup.commits(repo)).toBe(2)
    const pushes = await readFile(join(repo.dir, 'pushes'), 'utf8')
    expect(pushes).toBe('refs/heads/main topic=images\nrefs/heads/review topic=images\n')
  })

  it('over SSH', async () => {
    const ssh = stack.use(await startSshServer())
    await setup.registry.push('team/ssh', '1.0.0')
    const repo = await ssh.create('ssh')
    await setup.createSecret('ssh', { identity: await ssh.createKey(), known_hosts: await ssh.knownHosts() })
    await setup.circle('ssh', { repo, source: { secretRef: { name: 'ssh' } } })
    await pushed('ssh')
    expect(await setup.file(repo, 'app.yaml')).toContain('ssh:1.0.0')
  })

  it('with a password to a server of a private authority; without the password it is refused and not shown', async () => {
    const basic = { username: 'ada', password: 'open-sesame' }
    const server = stack.use(await startGitServer({ tls: true, basic }))
    await setup.registry.push('team/closed', '1.0.0')
    const repo = await server.create('closed')
    await setup.createSecret('git', { ...basic, 'ca.crt': server.caPem ?? '' })
    await setup.createSecret('git-wrong', { ...basic, password: 'not-it', 'ca.crt': server.caPem ?? '' })
    await setup.circle('closed', { repo, source: { secretRef: { name: 'git-wrong' } } })
    const { status } = await setup.untilReady(KIND, 'closed', 'False', 'GitOperationFailed')
    expect(JSON.stringify(status)).not.toContain('not-it')
    await setup.patchSource('closed', { secretRef: { name: 'git' } })
    await pushed('closed')
    expect(await setup.file(repo, 'app.yaml')).toContain('closed:1.0.0')
  })
})

describe('a signature is good', () => {
  const signed = async (name: string, type: 'gpg' | 'ssh', secret: Record<string, string>) => {
    await setup.registry.push(`team/${name}`, '1.0.0')
    await setup.createSecret(name, secret)
    const signingKey = { type, secretRef: { name } }
    const repo = await setup.circle(name, { git: { commit: { author: AUTHOR, signingKey } } })
    await pushed(name)
    return repo
  }

  it('for gpg', async () => {
    const passphrase = 'open sesame'
    const { privateKey, publicKey } = await generateKey({ userIDs: [AUTHOR], format: 'armored', passphrase })
    const repo = await signed('signed-gpg', 'gpg', { 'git.asc': privateKey, passphrase })
    const home = stack.use(await temporaryDirectory('gpg')).path
    await chmod(home, 0o700)
    await writeFile(join(home, 'key.asc'), publicKey)
    const env = { ...process.env, GNUPGHOME: home }
    await run('gpg', ['--batch', '--import', join(home, 'key.asc')], { env })
    const { stderr } = await run('git', ['--git-dir', repo.dir, 'verify-commit', 'main'], { env })
    expect(stderr).toContain(`Good signature from "${AUTHOR.name} <${AUTHOR.email}>"`)
    await run('gpgconf', ['--kill', 'all'], { env })
  })

  it('for ssh-keygen', async () => {
    const home = stack.use(await temporaryDirectory('ssh-key')).path
    const file = join(home, 'key')
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', file])
    const identity = await readFile(file, 'utf8')
    const repo = await signed('signed-ssh', 'ssh', { identity, password: 'open sesame' })
    const allowed = join(home, 'allowed')
    await writeFile(allowed, `${AUTHOR.email} ${await readFile(`${file}.pub`, 'utf8')}`)
    const settings = ['-c', `gpg.ssh.allowedSignersFile=${allowed}`, '-c', 'gpg.format=ssh']
    const { stderr, stdout } = await run('git', ['--git-dir', repo.dir, ...settings, 'verify-commit', 'main'])
    expect(stderr + stdout).toContain(`Good "git" signature for ${AUTHOR.email}`)
    expect(setup.service.child.logs()).not.toContain('PRIVATE KEY')
  })
})

async function install(repo: GitRepo, name: string, script: string): Promise<void> {
  const file = join(repo.dir, 'hooks', name)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}
