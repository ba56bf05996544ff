import { chmod, copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { moduleDirectory, runGo, type Toolchain } from './go-toolchain.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { type Tool, toolsDirectory } from './tools.ts'

/** Gives the toolchain that can read and write these directories. */
export type ToolchainFor = (directories: string[]) => Promise<Toolchain>

/** Builds a program from its pinned module beside `target`, and renames it into place. */
export async function goBuild(tool: Tool, target: string, toolchainFor: ToolchainFor): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  await using temporary = await temporaryDirectory('go-build')
  const toolchain = await toolchainFor([toolsDirectory, dirname(target), temporary.path])
  const module = join(toolsDirectory, tool.family)
  const unfinished = `${target}.${process.pid}.unfinished`
  const extra = tool.family === 'flux' ? await fluxCopy(toolchain, module, temporary) : []
  try {
    await runGo(toolchain, module, ['build', ...extra, ...flags(tool), '-o', unfinished, tool.goPackage])
    await rename(unfinished, target)
  } finally {
    await rm(unfinished, { force: true })
  }
}

function flags(tool: Tool): string[] {
  const variables = Object.entries(tool.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...variables].join(' ')]
}

/**
 * The flux CLI embeds manifests that its release process makes and that the module does not contain.
 * Only `flux install` reads them, so a copy of the module with one empty file stands in for it.
 */
async function fluxCopy(
  toolchain: Toolchain,
  pinned: string,
  temporary: TemporaryDirectory,
): Promise<string[]> {
  const module = 'github.com/fluxcd/flux2/v2'
  const copy = join(temporary.path, 'module')
  await cp(await moduleDirectory(toolchain, pinned, module), copy, { recursive: true })
  // The module cache is read-only, and a copy keeps the mode.
  await chmod(join(copy, 'cmd/flux'), 0o755)
  await mkdir(join(copy, 'cmd/flux/manifests'))
  await writeFile(join(copy, 'cmd/flux/manifests/placeholder.yaml'), '# made by the build\n')
  const goMod = join(temporary.path, 'go.mod')
  await writeFile(goMod, `${await readFile(join(pinned, 'go.mod'), 'utf8')}\nreplace ${module} => ${copy}\n`)
  await copyFile(join(pinned, 'go.sum'), join(temporary.path, 'go.sum'))
  return [`-modfile=${goMod}`]
}
