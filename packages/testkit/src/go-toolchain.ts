import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { endedWithin, startChild } from './child.ts'
import type { Platform } from './tools.ts'

const BUILD_TIMEOUT_MS = 60 * 60_000

/** The official image with the Go that the pinned modules ask for. */
const IMAGE = 'golang:1.26'

/** How to start the Go command for one build. */
export interface Toolchain {
  command: string
  /** What comes before Go's own arguments when it is started in this directory. */
  prefix(cwd: string): string[]
  env: Record<string, string>
}

const buildSettings = { CGO_ENABLED: '0', GOWORK: 'off' }

/** The Go that is installed here. */
export const installedGo: Toolchain = { command: 'go', prefix: () => [], env: buildSettings }

/**
 * Go in a container, for a machine that has only Docker. The directories keep their paths inside, so the
 * build is the same; Go's own caches are kept below `cache`, and the program is made for this machine.
 */
export async function goInDocker(
  directories: string[],
  { cache, platform }: { cache: string; platform: Platform },
): Promise<Toolchain> {
  const modules = join(cache, 'modules')
  const objects = join(cache, 'objects')
  await Promise.all([modules, objects].map((path) => mkdir(path, { recursive: true })))
  const volumes = [...directories, modules, objects].flatMap((path) => ['--volume', `${path}:${path}`])
  const settings = {
    ...buildSettings,
    HOME: '/tmp',
    // A person must be able to remove the cache.
    GOFLAGS: '-modcacherw',
    GOMODCACHE: modules,
    GOCACHE: objects,
    GOOS: platform.os,
    GOARCH: platform.arch,
  }
  const variables = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const user = process.getuid && process.getgid ? ['--user', `${process.getuid()}:${process.getgid()}`] : []
  const run = ['run', '--rm', '--init', ...user, ...volumes, ...variables]
  return { command: 'docker', prefix: (cwd) => [...run, '--workdir', cwd, IMAGE, 'go'], env: {} }
}

/** Runs `go ARGUMENTS`; throws with everything it said when it fails. */
export async function runGo(toolchain: Toolchain, cwd: string, args: string[]): Promise<void> {
  const child = await startChild('go', toolchain.command, [...toolchain.prefix(cwd), ...args], {
    cwd,
    env: toolchain.env,
  })
  const exit = await endedWithin(child.exited, BUILD_TIMEOUT_MS)
  if (exit?.code === 0) return
  await child.kill()
  const how = exit === undefined ? `did not end in ${BUILD_TIMEOUT_MS / 60_000} min` : 'failed'
  throw new Error(`go ${args[0]} in ${cwd} ${how}:\n${child.logs()}`)
}

/** Downloads a module and returns the directory of its files. */
export async function moduleDirectory(toolchain: Toolchain, cwd: string, module: string): Promise<string> {
  const args = [...toolchain.prefix(cwd), 'mod', 'download', '-json', module]
  const { stdout } = await promisify(execFile)(toolchain.command, args, {
    cwd,
    env: { ...process.env, ...toolchain.env },
    timeout: BUILD_TIMEOUT_MS,
  })
  const { Dir } = JSON.parse(stdout) as { Dir?: unknown }
  if (typeof Dir !== 'string') throw new Error(`go mod download ${module} named no directory`)
  return Dir
}
