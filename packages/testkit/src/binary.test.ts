import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { binary, toolSource } from './binary.ts'
import { platform } from './platform.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { type BinaryName, tools } from './tools.ts'

const script = '#!/bin/sh\necho it runs\n'

it('a downloaded program whose checksum is right runs, and is downloaded once', async () => {
  await using mirror = await startMirror({ 'kube-apiserver': Buffer.from(script) })
  await using cache = await temporaryDirectory('cache')
  const env = downloadFrom(mirror.url, cache.path)
  const log: string[] = []
  const [first, second] = await Promise.all(
    [1, 2].map(() => binary('kube-apiserver', { env, log: (line) => log.push(line) })),
  )
  expect(second).toBe(first)
  expect((await promisify(execFile)(String(first))).stdout).toBe('it runs\n')
  expect(mirror.requests.filter((path) => path.endsWith('/kube-apiserver'))).toHaveLength(1)
  expect(log).toContain('downloading kube-apiserver v1.37.2 …')
})

it('a program in an archive is taken out of it', async () => {
  const { member = '' } = tools['nats-server'].release(platform())
  await using mirror = await startMirror({
    'nats-server': tarOf({ 'README.md': 'x'.repeat(600), [member]: script }),
  })
  await using cache = await temporaryDirectory('cache')
  const path = await binary('nats-server', {
    env: downloadFrom(mirror.url, cache.path),
    log: () => undefined,
  })
  expect((await promisify(execFile)(path)).stdout).toBe('it runs\n')
})

it('a download whose checksum differs is refused and nothing is kept', async () => {
  await using mirror = await startMirror({ kwok: Buffer.from(script) }, { changedAfterwards: true })
  await using cache = await temporaryDirectory('cache')
  const ask = () => binary('kwok', { env: downloadFrom(mirror.url, cache.path), log: () => undefined })
  await expect(ask()).rejects.toThrow(
    /kwok v0\.8\.0: .* has SHA-256 [0-9a-f]{64}, its checksum file says [0-9a-f]{64}/,
  )
  await expect(ask()).rejects.toThrow(/has SHA-256/)
})

it('a program in KUBEBUILDER_ASSETS comes before everything else', async () => {
  await using assets = await temporaryDirectory('assets')
  const path = join(assets.path, 'etcd')
  await writeFile(path, script)
  await chmod(path, 0o755)
  expect(await binary('etcd', { env: { KUBEBUILDER_ASSETS: assets.path } })).toBe(path)
})

it('an unknown SETPOINT_TOOLS is an error that says what it can be', () => {
  expect(() => toolSource({ SETPOINT_TOOLS: 'apt' })).toThrow(
    "SETPOINT_TOOLS is 'apt'; it can be go, docker or download",
  )
})

function downloadFrom(url: string, cache: string): NodeJS.ProcessEnv {
  return { SETPOINT_TOOLS: 'download', SETPOINT_DOWNLOAD_BASE: url, XDG_CACHE_HOME: cache }
}

/** Serves release files and their checksums at the paths of the official hosts. */
async function startMirror(
  files: Partial<Record<BinaryName, Buffer>>,
  { changedAfterwards = false }: { changedAfterwards?: boolean } = {},
): Promise<AsyncDisposable & { url: string; requests: string[] }> {
  const served = new Map<string, Buffer>()
  for (const [name, content] of Object.entries(files))
    addRelease(served, name as BinaryName, content, changedAfterwards)
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1)
    requests.push(path)
    const content = served.get(path)
    response.writeHead(content ? 200 : 404).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function addRelease(served: Map<string, Buffer>, name: BinaryName, content: Buffer, changed: boolean): void {
  const { url, checksum } = tools[name].release(platform())
  const pathOf = (address: string) => address.replace('https://', '')
  const fileName = url.slice(url.lastIndexOf('/') + 1)
  const hash = createHash('sha256').update(content).digest('hex')
  const sums =
    checksum.format === 'sums'
      ? `${hash}  ${fileName}\n`
      : JSON.stringify({ assets: [{ name: fileName, digest: `sha256:${hash}` }] })
  served.set(pathOf(url), changed ? Buffer.concat([content, Buffer.from('# bad')]) : content)
  served.set(pathOf(checksum.url), Buffer.from(sums))
}

function tarOf(files: Record<string, string>): Buffer {
  const blocks = Object.entries(files).map(([name, content]) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write(content.length.toString(8).padStart(11, '0'), 124)
    header.write('0', 156)
    return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)])
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}
