import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { binary, temporaryDirectory } from '@setpoint/testkit'
import type { GeneratedOverlay } from './generator/overlay.ts'

/** What the real kustomize made of a tree of files: YAML, or the reason why it refused. */
export interface Rendered {
  failed: boolean
  text: string
}

/** Renders trees of files, and gives the answers in their order. */
export type RenderAll = (overlays: readonly GeneratedOverlay[]) => Promise<Rendered[]>

const timeoutMs = 10 * 60_000
const maxOutputBytes = 64 * 1024 * 1024

/** One process for all trees; where nothing can be compiled, one of kubectl for each. */
export async function realKustomize(): Promise<RenderAll> {
  if (process.env.SETPOINT_TOOLS === 'download') return kubectlKustomize(await binary('kubectl'))
  return kustomizeLines(await binary('kustomize-lines'))
}

/** There are trees on which kustomize overflows its stack: the process ends, and the next one goes on behind them. */
export function kustomizeLines(command: string): RenderAll {
  return async (overlays) => {
    const answers: Rendered[] = []
    while (answers.length < overlays.length) {
      const found = await runOnce(command, overlays.slice(answers.length))
      answers.push(...found)
      if (answers.length < overlays.length) answers.push({ failed: true, text: 'kustomize crashed' })
    }
    return answers
  }
}

/** The command goes from file to file, so that it works on while this process is busy with its own half. */
async function runOnce(command: string, overlays: readonly GeneratedOverlay[]): Promise<Rendered[]> {
  await using directory = await temporaryDirectory('overlays')
  const [input, output] = [join(directory.path, 'orders'), join(directory.path, 'answers')]
  await writeFile(input, overlays.map((overlay) => `${JSON.stringify(overlay)}\n`).join(''))
  await using from = await open(input)
  await using to = await open(output, 'w')
  const child = spawn(command, { stdio: [from.fd, to.fd, 'ignore'], timeout: timeoutMs })
  await once(child, 'exit')
  const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const { yaml, error } = JSON.parse(line) as { yaml: string; error?: string }
    return { failed: error !== undefined, text: error ?? yaml }
  })
}

export function kubectlKustomize(kubectl: string): RenderAll {
  return async (overlays) => {
    const answers: Rendered[] = []
    for (const overlay of overlays) answers.push(await renderWithKubectl(kubectl, overlay))
    return answers
  }
}

async function renderWithKubectl(kubectl: string, { files, root }: GeneratedOverlay): Promise<Rendered> {
  await using directory = await temporaryDirectory('overlay')
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory.path, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
  const options = { timeout: timeoutMs, maxBuffer: maxOutputBytes }
  try {
    const run = await promisify(execFile)(kubectl, ['kustomize', join(directory.path, root)], options)
    return { failed: false, text: run.stdout }
  } catch (error) {
    return { failed: true, text: (error as { stderr?: string }).stderr ?? String(error) }
  }
}
