import { execFileSync } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { download } from './download.ts'
import { withFileLock } from './file-lock.ts'
import { goBuild } from './go-build.ts'
import { goInDocker, installedGo } from './go-toolchain.ts'
import { platform } from './platform.ts'
import { type BinaryName, type Tool, tools } from './tools.ts'

/** How a program that is missing is had. */
export type ToolSource = 'go' | 'docker' | 'download'

/** How often a long build says that it is alive. */
const HEARTBEAT_MS = 30_000
const WAIT_FOR_ANOTHER_BUILD_MS = 60 * 60_000

export interface BinaryOptions {
  /** Gets one line when a build or download starts and one when it is done. */
  log?(line: string): void
  /** @default process.env */
  env?: NodeJS.ProcessEnv
}

/**
 * The absolute path of a program: from the environment or PATH where that is allowed, from the per-user
 * cache, else built or downloaded into that cache. Callers at the same time, in other processes too, wait
 * for one build.
 */
export async function binary(name: BinaryName, options: BinaryOptions = {}): Promise<string> {
  const { env = process.env } = options
  const tool = tools[name]
  const cached = join(cacheDirectory(env), `${tool.family}-${tool.version}`, name)
  const found = await firstExecutable([...installed(name, tool, env), cached])
  return found ?? provide(name, tool, cached, { env, log: options.log ?? toStandardError })
}

/** Provides every program, one after another: a Go build uses all cores anyway. */
export async function ensureBinaries(
  names: readonly BinaryName[],
  options: BinaryOptions = {},
): Promise<void> {
  for (const name of names) await binary(name, options)
}

/** `SETPOINT_TOOLS`, or Go where it is installed, or Docker where only that is. */
export function toolSource(env: NodeJS.ProcessEnv = process.env): ToolSource {
  const chosen = env.SETPOINT_TOOLS
  if (chosen === 'go' || chosen === 'docker' || chosen === 'download') return chosen
  if (chosen !== undefined && chosen !== '') {
    throw new Error(`SETPOINT_TOOLS is '${chosen}'; it can be go, docker or download`)
  }
  if (runs('go', ['version'])) return 'go'
  if (runs('docker', ['info'])) return 'docker'
  throw new Error('neither Go nor Docker is installed; install Go 1.26 or set SETPOINT_TOOLS=download')
}

/** Where programs that were built or downloaded are kept. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'setpoint', 'bin')
}

function installed(name: BinaryName, tool: Tool, env: NodeJS.ProcessEnv): string[] {
  const directory = tool.directoryFrom ? env[tool.directoryFrom] : undefined
  const path = tool.mayComeFromPath ? (env.PATH ?? '').split(delimiter).filter(Boolean) : []
  return [...(directory ? [directory] : []), ...path].map((place) => join(place, name))
}

async function firstExecutable(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (await isExecutable(path)) return path
  }
  return undefined
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function provide(
  name: BinaryName,
  tool: Tool,
  target: string,
  { env, log }: { env: NodeJS.ProcessEnv; log(line: string): void },
): Promise<string> {
  const source = toolSource(env)
  await withFileLock(
    join(cacheDirectory(env), `${tool.family}-${tool.version}.lock`),
    async () => {
      if (await isExecutable(target)) return
      await fetchTool[source](name, tool, { target, env, log })
    },
    {
      timeoutMs: WAIT_FOR_ANOTHER_BUILD_MS,
      onWait: () => log(`waiting for another process that provides ${tool.family} ${tool.version}`),
    },
  )
  return target
}

interface Order {
  target: string
  env: NodeJS.ProcessEnv
  log(line: string): void
}

const fetchTool: Record<ToolSource, (name: BinaryName, tool: Tool, order: Order) => Promise<void>> = {
  go: (name, tool, { target, log }) =>
    timed(`building ${name} ${tool.version} (${tool.buildTakes}, once)`, log, () =>
      goBuild(tool, target, async () => installedGo),
    ),
  docker: (name, tool, { target, log, env }) =>
    timed(`building ${name} ${tool.version} with Go in Docker (${tool.buildTakes}, once)`, log, () => {
      const cache = join(cacheDirectory(env), '..', 'go')
      return goBuild(tool, target, (directories) => goInDocker(directories, { cache, platform: platform() }))
    }),
  download: (name, tool, { target, log, env }) =>
    timed(`downloading ${name} ${tool.version}`, log, () => download(name, tool, target, env)),
}

async function timed(what: string, log: (line: string) => void, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  const seconds = () => Math.round((performance.now() - start) / 1000)
  log(`${what} …`)
  const heartbeat = setInterval(() => log(`  still at it after ${seconds()} s`), HEARTBEAT_MS)
  try {
    await work()
  } finally {
    clearInterval(heartbeat)
  }
  log(`${what} … done in ${seconds()} s`)
}

function runs(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}
