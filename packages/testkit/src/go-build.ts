import { execFile } from 'node:child_process'
import { chmod, copyFile, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { endedWithin, startChild } from './child.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { type Tool, toolsDirectory } from './tools.ts'

const BUILD_TIMEOUT_MS = 45 * 60_000

/** Builds a program from its pinned module, straight into `target`'s directory, and renames it into place. */
export async function goBuild(tool: Tool, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await using temporary = await temporaryDirectory('go-build')
  const unfinished = `${target}.${process.pid}.unfinished`
  const extra = tool.family === 'flux' ? await fluxCopy(temporary) : []
  await go(tool, ['build', ...extra, ...flags(tool), '-o', unfinished, tool.goPackage])
  await rename(unfinished, target)
}

function flags(tool: Tool): string[] {
  const variables = Object.entries(tool.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...variables].join(' ')]
}

async function go(tool: Tool, args: string[]): Promise<void> {
  const child = await startChild('go', 'go', args, {
    cwd: join(toolsDirectory, tool.family),
    env: environment,
  })
  const exit = await endedWithin(child.exited, BUILD_TIMEOUT_MS)
  if (exit?.code === 0) return
  await child.kill()
  const how = exit === undefined ? `did not end in ${BUILD_TIMEOUT_MS / 60_000} min` : 'failed'
  throw new Error(`go ${args[0]} of ${tool.goPackage} ${tool.version} ${how}:\n${child.logs()}`)
}

const environment = { CGO_ENABLED: '0', GOWORK: 'off' }

/**
 * The flux CLI embeds manifests that its release process makes and that the module does not contain.
 * Only `flux install` reads them, so a copy of the module with one empty file stands in for it.
 */
async function fluxCopy(temporary: TemporaryDirectory): Promise<string[]> {
  const module = 'github.com/fluxcd/flux2/v2'
  const copy = join(temporary.path, 'module')
  await cp(await moduleDirectory('flux', module), copy, { recursive: true })
  await makeWritable(join(copy, 'cmd/flux'))
  await mkdir(join(copy, 'cmd/flux/manifests'))
  await writeFile(join(copy, 'cmd/flux/manifests/placeholder.yaml'), '# made by the build\n')
  const pinned = join(toolsDirectory, 'flux')
  const goMod = join(temporary.path, 'go.mod')
  await writeFile(goMod, `${await readFile(join(pinned, 'go.mod'), 'utf8')}\nreplace ${module} => ${copy}\n`)
  await copyFile(join(pinned, 'go.sum'), join(temporary.path, 'go.sum'))
  return [`-modfile=${goMod}`]
}

/** The module cache is read-only, and a copy keeps the mode. */
async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o755)
}

async function moduleDirectory(family: string, module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
    cwd: join(toolsDirectory, family),
    env: { ...process.env, ...environment },
  })
  const { Dir } = JSON.parse(stdout) as { Dir?: unknown }
  if (typeof Dir !== 'string') throw new Error(`go mod download ${module} named no directory`)
  return Dir
}
