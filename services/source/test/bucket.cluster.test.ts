import { createHash } from 'node:crypto'
import type { Bucket } from '@setpoint/contracts'
import {
  type Answer,
  S3_USER,
  type S3Server,
  startEndpoint,
  startProxy,
  startS3Server,
} from '@setpoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conditionOf, readyMessage, type Setup, startBucketSetup } from './harness.ts'

const stack = new AsyncDisposableStack()
let setup: Setup<Bucket>
let s3: S3Server

beforeAll(async () => {
  setup = stack.use(
    await startBucketSetup({
      args: ['--max-artifact-bytes=100000', '--max-file-bytes=50000', '--max-files=20', '--max-path-depth=5'],
    }),
  )
  s3 = stack.use(await startS3Server())
  const { accessKeyId, secretAccessKey } = S3_USER
  await setup.createSecret('s3', { accesskey: accessKeyId, secretkey: secretAccessKey })
})
afterAll(() => stack.disposeAsync())

/** Fills a bucket of this name and creates a Bucket that watches it. */
async function createBucket(
  name: string,
  objects: Record<string, string>,
  spec: Partial<Bucket['spec']> = {},
) {
  await s3.createBucket(name)
  for (const [key, content] of Object.entries(objects)) await s3.put(name, key, content)
  const required = { endpoint: s3.endpoint, bucketName: name, secretRef: { name: 's3' } }
  await setup.create(name, { ...required, ...spec })
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

test('objects are files, by the revision that Flux gives them; a change is followed and only that is downloaded', async () => {
  await createBucket('app', { 'a.yaml': 'a: 1\n', 'deep/er/b +ü&.yaml': 'b: 1\n', 'deep/': '' })
  const { status } = await setup.untilReady('app', 'True')
  const lines = `a.yaml ${md5('a: 1\n')}\ndeep/er/b +ü&.yaml ${md5('b: 1\n')}\n`
  const hex = createHash('sha256').update(lines).digest('hex')
  expect(status?.artifact).toMatchObject({
    revision: `sha256:${hex}`,
    path: `bucket/${setup.namespace}/app/${hex}.tar.gz`,
  })
  expect(await setup.files('app')).toEqual({ 'a.yaml': 'a: 1\n', 'deep/er/b +ü&.yaml': 'b: 1\n' })
  const news = "stored artifact with 2 fetched files from 'app' bucket"
  await setup.untilEvent('app', ({ message }) => message === news)
  const served = await fetch(`${setup.service.archives}/${status?.artifact?.path}`)
  const digest = createHash('sha256')
    .update(Buffer.from(await served.arrayBuffer()))
    .digest('hex')
  expect(`sha256:${digest}`).toBe(status?.artifact?.digest)

  const before = await setup.metric('setpoint_source_fetched_bytes_total', { kind: 'Bucket' })
  await s3.put('app', 'a.yaml', 'a: 22\n')
  await s3.delete('app', 'deep/er/b +ü&.yaml')
  await s3.put('app', 'c.yaml', 'c: 1\n')
  setup.hint('app')
  await setup.until('app', 'moves', (object) => object.status?.artifact?.revision !== `sha256:${hex}`)
  expect(await setup.files('app')).toEqual({ 'a.yaml': 'a: 22\n', 'c.yaml': 'c: 1\n' })
  const received = (await setup.metric('setpoint_source_fetched_bytes_total', { kind: 'Bucket' })) - before
  expect(received).toBe('a: 22\nc: 1\n'.length)
})

test('prefix, .sourceignore and spec.ignore choose; defaults of Git repositories do not hold', async () => {
  const objects = {
    '.sourceignore': '*.md\n',
    'one/a.yaml': 'a',
    'one/picture.png': 'p',
    'one/notes.md': 'n',
    'one/c.txt': 'c',
    'two/b.yaml': 'b',
  }
  await createBucket('chosen', objects, { prefix: 'one/', ignore: '*.txt' })
  expect((await setup.untilReady('chosen', 'True')).status?.observedIgnore).toBe('*.txt')
  expect(Object.keys(await setup.files('chosen'))).toEqual(['one/a.yaml', 'one/picture.png'])
})

describe('the way to the server', () => {
  test('wrong credentials, and none: AuthenticationFailed, without the secret', async () => {
    await setup.createSecret('wrong', { accesskey: S3_USER.accessKeyId, secretkey: 'hunter2' })
    await createBucket('wrong', { 'a.yaml': 'a' }, { secretRef: { name: 'wrong' } })
    const refused = await setup.untilReady('wrong', 'False', 'AuthenticationFailed')
    expect(JSON.stringify(refused) + setup.service.child.logs()).not.toContain('hunter2')
    await setup.createSecret('half', { accesskey: 'ada' })
    await createBucket('half', {}, { secretRef: { name: 'half' } })
    expect(readyMessage(await setup.untilReady('half', 'False', 'AuthenticationFailed'))).toContain(
      'must have both accesskey and secretkey',
    )
  })

  test('a bucket for everybody, without a Secret', async () => {
    await using open = await startS3Server({ anonymous: true })
    await open.createBucket('open')
    await open.put('open', 'a.yaml', 'a')
    await setup.create('open', { endpoint: open.endpoint, bucketName: 'open' })
    await setup.untilReady('open', 'True')
  })

  test('a private authority, through a proxy', async () => {
    await using tls = await startS3Server({ tls: true })
    await using proxy = await startProxy({ kind: 'http' })
    await tls.createBucket('tls')
    await tls.put('tls', 'a.yaml', 'a')
    await setup.createSecret('ca', { 'ca.crt': tls.caPem ?? '' })
    await setup.createSecret('proxy', { address: proxy.address })
    const spec = { endpoint: tls.endpoint, bucketName: 'tls', insecure: false, secretRef: { name: 's3' } }
    await setup.create('untrusted', spec)
    await setup.untilReady('untrusted', 'False', 'BucketOperationFailed')
    const way = { certSecretRef: { name: 'ca' }, proxySecretRef: { name: 'proxy' } }
    await setup.create('tls', { ...spec, ...way })
    await setup.untilReady('tls', 'True')
    expect(proxy.targets).toContain(tls.endpoint)
  })

  test('a server that goes away: the artifact stays', async () => {
    await using own = await startS3Server()
    await own.createBucket('away')
    await own.put('away', 'a.yaml', 'a')
    const spec = { endpoint: own.endpoint, bucketName: 'away', secretRef: { name: 's3' }, interval: '1s' }
    await setup.create('away', spec)
    await setup.untilReady('away', 'True')
    await own.kill()
    const away = await setup.untilReady('away', 'False', 'BucketOperationFailed')
    expect(conditionOf(away, 'FetchFailed')?.status).toBe('True')
    expect(away.status?.artifact).toBeDefined()
  })
})

describe('hostile and broken input', () => {
  async function readyOne(name: string): Promise<Bucket> {
    await createBucket(name, { 'a.yaml': 'a: 1' }, { interval: '1h' })
    return setup.untilReady(name, 'True')
  }
  async function expectRefused(good: Bucket, reason: string, message: string): Promise<void> {
    setup.hint(good.metadata.name)
    const failed = await setup.untilReady(good.metadata.name, 'False', reason)
    expect(readyMessage(failed)).toContain(message)
    await setup.expectKept(good)
    expect(await setup.files(good.metadata.name)).toEqual({ 'a.yaml': 'a: 1' })
  }

  const long = 'x'.repeat(40_000)
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`${n}`, 'x']))
  test.each<[string, Record<string, string>, string, string]>([
    ['a file over --max-file-bytes', { x: `${long}${long}` }, 'ArchiveOperationFailed', '--max-file-bytes'],
    [
      'files over --max-artifact-bytes',
      { a: long, b: long, c: long },
      'ArchiveOperationFailed',
      '--max-artifact-bytes',
    ],
    ['more objects than --max-files', many, 'BucketOperationFailed', 'more than 20 objects'],
    ['a path over --max-path-depth', { 'a/b/c/d/e/f/g': 'x' }, 'IllegalPath', 'more than 5 directories deep'],
    ['an object and others below it', { a: 'x', 'a/b': 'x' }, 'IllegalPath', 'others below it'],
    ['a backslash', { 'a\\..\\b': 'x' }, 'IllegalPath', 'which is refused'],
  ])('%s: the last artifact stays', async (_what, objects, reason, message) => {
    const good = await readyOne(`b-${crypto.randomUUID()}`)
    for (const [key, content] of Object.entries(objects)) await s3.put(good.metadata.name, key, content)
    await expectRefused(good, reason, message)
  })

  const listing = (...keys: string[]): Answer => ({
    headers: { 'content-type': 'application/xml' },
    body: `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key><ETag>"1"</ETag><Size>1</Size></Contents>`).join('')}</ListBucketResult>`,
  })
  test.each<[string, () => Answer | undefined, string, string, Partial<Bucket['spec']>?]>([
    ['names a path with ..', () => listing('../evil.yaml'), 'IllegalPath', 'which is refused'],
    ['names .. within a path', () => listing('a/../../evil'), 'IllegalPath', 'which is refused'],
    ['names a file twice', () => listing('a', './a', '/a'), 'IllegalPath', 'which is refused'],
    ['names a file twice by slashes', () => listing('a', '//a'), 'IllegalPath', 'two objects for the file'],
    [
      'has entities of its own',
      () => ({ body: '<!DOCTYPE a [<!ENTITY e "x">]><ListBucketResult>&e;</ListBucketResult>' }),
      'BucketOperationFailed',
      '',
    ],
    [
      'redirects to where clouds keep credentials',
      () => ({ status: 307, headers: { location: 'http://169.254.169.254/' } }),
      'BucketOperationFailed',
      '',
    ],
    ['never answers', () => undefined, 'BucketOperationFailed', 'did not answer in time', { timeout: '1s' }],
  ])('a server that %s: the last artifact stays', async (_what, answer, reason, message, spec = {}) => {
    const good = await readyOne(`s-${crypto.randomUUID()}`)
    await using evil = await startEndpoint(({ url = '' }) =>
      url.includes('.sourceignore') ? { status: 404 } : answer(),
    )
    await setup.patchSpec(good.metadata.name, { ...spec, endpoint: `127.0.0.1:${evil.port}` })
    await expectRefused(good, reason, message)
    await setup.patchSpec(good.metadata.name, { suspend: true })
  })

  test('a bucket that does not exist, an endpoint that is none, and a user without a password', async () => {
    const secretRef = { name: 's3' }
    await setup.create('none', { endpoint: s3.endpoint, bucketName: 'none', secretRef })
    expect(readyMessage(await setup.untilReady('none', 'False', 'BucketOperationFailed'))).toContain(
      "bucket 'none' not found",
    )
    await setup.create('endpoint', { endpoint: 'http://x/y', bucketName: 'x' })
    expect(readyMessage(await setup.untilReady('endpoint', 'False', 'BucketOperationFailed'))).toContain(
      'is no host',
    )
    const sts = { provider: 'ldap', endpoint: 'https://ldap.example.com' } as const
    await setup.create('ldap', { endpoint: s3.endpoint, bucketName: 'x', sts })
    const halfLdap = await setup.untilReady('ldap', 'False', 'AuthenticationFailed')
    expect(readyMessage(halfLdap)).toContain('needs sts.secretRef')
  })
})
