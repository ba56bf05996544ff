import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build, describeProblem, memoryFiles, printResources } from '@setpoint/kustomize'
import { generateOverlay } from './overlay-generator.ts'

/** What the two engines made of one generated overlay. */
export type Comparison =
  | { seed: number; outcome: 'same' | 'both fail' }
  | { seed: number; outcome: 'different'; ours: string; theirs: string }

const timeoutMs = 60_000
const maxOutputBytes = 64 * 1024 * 1024

/** Renders the overlay of a seed with our engine and with kubectl's, and compares the texts. */
export async function compareSeed(seed: number, kubectl: string): Promise<Comparison> {
  const { files, root } = generateOverlay(seed)
  const { resources, problems } = build(memoryFiles(files), root)
  const theirs = await renderWithKubectl(kubectl, files, root)
  if (problems.length > 0 && theirs.failed) return { seed, outcome: 'both fail' }
  const ours = problems.length > 0 ? problems.map(describeProblem).join('\n') : printResources(resources)
  if (problems.length === 0 && !theirs.failed && ours === theirs.text) return { seed, outcome: 'same' }
  return { seed, outcome: 'different', ours, theirs: theirs.text }
}

interface Rendered {
  failed: boolean
  text: string
}

export async function renderWithKubectl(
  kubectl: string,
  files: Record<string, string>,
  root: string,
): Promise<Rendered> {
  const directory = await mkdtemp(join(tmpdir(), 'setpoint-overlay-'))
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), content)
    }
    return await runKubectl(kubectl, join(directory, root))
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function runKubectl(kubectl: string, directory: string): Promise<Rendered> {
  const options = { timeout: timeoutMs, maxBuffer: maxOutputBytes }
  try {
    const { stdout } = await promisify(execFile)(kubectl, ['kustomize', directory], options)
    return { failed: false, text: stdout }
  } catch (error) {
    return { failed: true, text: (error as { stderr?: string }).stderr ?? String(error) }
  }
}

/** Compares `count` seeds from `first` on, two at a time, and hands over each result. */
export async function compareSeeds(
  { first, count, kubectl }: { first: number; count: number; kubectl: string },
  report: (comparison: Comparison) => void,
): Promise<void> {
  let next = first
  const worker = async () => {
    while (next < first + count) {
      const seed = next
      next += 1
      report(await compareSeed(seed, kubectl))
    }
  }
  await Promise.all([worker(), worker()])
}
