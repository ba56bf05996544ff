import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { build, createParseCache, type FileSource, memoryFiles, printResources } from '@setpoint/kustomize'
import { binary } from '@setpoint/testkit'
import { customResourceDefinitions, large, manyOverlays, type Shape, small } from './kustomize-shapes.ts'
import { percentile } from './percentile.ts'

const help = `Usage: npm run bench:kustomize -- [--processes 20]

Builds a small overlay, a large one, 10 MB of CRDs, and 1,000 small overlays over one base, and prints the milliseconds of
a build: by one process of kubectl kustomize (the median of so many processes), and here with a cold and a warm parse
cache. Then: how many times faster than the processes a cold cache is, and the most memory of a process that builds the
shape once.`

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '20' },
    shape: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const shapes = { small, large, crds: customResourceDefinitions, many: manyOverlays }

if (values.help) console.log(help)
else if (values.shape !== undefined)
  console.log(peakMemoryAfter(shapes[values.shape as keyof typeof shapes]()))
else await main(Number(values.processes))

async function main(processes: number): Promise<void> {
  const kubectl = await binary('kubectl')
  console.log('shape | kubectl kustomize, ms | cold, ms | warm, ms | times faster | peak memory, MiB')
  for (const [key, make] of Object.entries(shapes)) {
    const shape = make()
    const theirs = await measureKubectl(kubectl, shape, processes)
    const { coldMs, warmMs } = measureOurs(shape)
    const builds = shape.roots.length
    const figures = [theirs * builds, coldMs, warmMs, (theirs * builds) / coldMs, await peakMemory(key)]
    console.log([shape.name, ...figures.map((figure) => figure.toFixed(1))].join(' | '))
  }
}

/** Milliseconds of one process, the median. */
async function measureKubectl(kubectl: string, { files, roots }: Shape, processes: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'setpoint-bench-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    const times: number[] = []
    for (let run = 0; run < processes; run += 1) {
      const start = performance.now()
      await promisify(execFile)(kubectl, ['kustomize', join(directory, roots[run % roots.length] ?? '')], {
        maxBuffer: 256 * 1024 * 1024,
      })
      times.push(performance.now() - start)
    }
    return percentile(times, 0.5)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Milliseconds of all builds of the shape: the first time, and the median of later times. */
function measureOurs(shape: Shape): { coldMs: number; warmMs: number } {
  const files = withIds(shape.files)
  const cache = createParseCache()
  const coldMs = timeOf(() => buildAll(files, shape.roots, cache))
  const repeats = shape.roots.length > 1 ? 3 : 51
  const times = Array.from({ length: repeats }, () => timeOf(() => buildAll(files, shape.roots, cache)))
  return { coldMs, warmMs: percentile(times, 0.5) }
}

function buildAll(files: FileSource, roots: string[], cache = createParseCache()): void {
  for (const root of roots) {
    const { resources, problems } = build(files, root, { cache })
    if (problems[0] !== undefined) throw new Error(problems[0].message)
    printResources(resources)
  }
}

function timeOf(step: () => void): number {
  const start = performance.now()
  step()
  return performance.now() - start
}

/** The files with ids like those of a Git tree, by which parses are found again. */
function withIds(files: Record<string, string>): FileSource {
  const ids = new Map(
    Object.entries(files).map(([path, text]) => [path, createHash('sha1').update(text).digest('hex')]),
  )
  return { ...memoryFiles(files), id: (path) => ids.get(path) }
}

/** In a process of its own. */
async function peakMemory(shape: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(import.meta.url),
    '--shape',
    shape,
  ])
  return Number(stdout)
}

function peakMemoryAfter(shape: Shape): number {
  buildAll(withIds(shape.files), shape.roots)
  return process.resourceUsage().maxRSS / 1024
}
