import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import {
  type BuildOptions,
  type BuildResult,
  build,
  createParseCache,
  describeProblem,
  type Problem,
  printResources,
} from '@setpoint/kustomize'
import { directoryFiles, treePath } from './directory-files.ts'

/** The streams that the command reads and writes. */
export interface RenderStreams {
  stdin: NodeJS.ReadableStream
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

export const renderUsage = `Usage: setpoint render DIR [flags]
       setpoint render --batch

Builds the kustomization in DIR and prints its objects, as \`kustomize build\` does.

Flags:
  --reorder legacy|none          order of the output (default: sortOptions of the file, else legacy)
  --load-restrictor RESTRICTOR   LoadRestrictionsRootOnly (default) or LoadRestrictionsNone
  --enable-managedby-label       label all objects as managed by kustomize
  --reads                        print the files that the build read, instead of its objects
  --batch                        read one JSON object a line, {"id","dir","flags"}, and answer each with one line,
                                 {"id","yaml"} or {"id","error"}

Examples:
  setpoint render clusters/production
  setpoint render overlays/staging --load-restrictor LoadRestrictionsNone
`

/** `setpoint render`. Resolves to the exit code: 0, 1 when a build failed, 2 for a wrong command line. */
export async function renderCommand(args: string[], streams: RenderStreams): Promise<number> {
  const parsed = parseRenderArguments(args)
  if ('error' in parsed) {
    streams.stderr.write(`${parsed.error}\n\n${renderUsage}`)
    return 2
  }
  if (parsed.help) {
    streams.stdout.write(renderUsage)
    return 0
  }
  return parsed.batch ? renderBatch(streams) : renderOne(parsed, streams)
}

interface RenderArguments {
  directory: string
  options: BuildOptions
  help: boolean
  batch: boolean
  reads: boolean
}

const flags = {
  reorder: { type: 'string' },
  'load-restrictor': { type: 'string' },
  'enable-managedby-label': { type: 'boolean' },
  reads: { type: 'boolean' },
  batch: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function parseRenderArguments(args: string[]): RenderArguments | { error: string } {
  try {
    const { values, positionals } = parseArgs({ args, options: flags, allowPositionals: true })
    if (positionals.length > 1) return { error: `render takes one directory, not ${positionals.length}` }
    const options = buildOptions(values)
    const { help = false, batch = false, reads = false } = values
    return typeof options === 'string'
      ? { error: options }
      : { directory: positionals[0] ?? '.', options, help, batch, reads }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

interface FlagValues {
  reorder?: string
  'load-restrictor'?: string
  'enable-managedby-label'?: boolean
}

/** The options of the engine, or what is wrong with the flags. */
function buildOptions(values: FlagValues): BuildOptions | string {
  const options: BuildOptions = {}
  const { reorder, 'load-restrictor': restrictor } = values
  if (reorder !== undefined) {
    if (reorder !== 'legacy' && reorder !== 'none')
      return `--reorder must be legacy or none, not '${reorder}'`
    options.reorder = reorder
  }
  if (restrictor !== undefined) {
    const name = restrictor.toLowerCase()
    if (name !== 'loadrestrictionsnone' && name !== 'loadrestrictionsrootonly') {
      return `--load-restrictor must be LoadRestrictionsRootOnly or LoadRestrictionsNone, not '${restrictor}'`
    }
    options.loadRestrictor = name === 'loadrestrictionsnone' ? 'none' : 'rootOnly'
  }
  if (values['enable-managedby-label'] === true) options.enableManagedByLabel = true
  return options
}

function renderOne(
  { directory, options, reads }: RenderArguments,
  { stdout, stderr }: RenderStreams,
): number {
  const result = renderDirectory(directory, options)
  if (result.problems.length > 0) {
    stderr.write(`${describeProblems(result.problems)}\n`)
    return 1
  }
  stdout.write(reads ? result.reads.map((path) => `/${path}\n`).join('') : printResources(result.resources))
  return 0
}

/** Builds a directory of the file system. */
export function renderDirectory(directory: string, options: BuildOptions = {}): BuildResult {
  return build(directoryFiles(), treePath(directory, process.cwd()), options)
}

function describeProblems(problems: Problem[]): string {
  return problems.map((problem) => `Error: ${describeProblem(problem)}`).join('\n')
}

async function renderBatch({ stdin, stdout }: RenderStreams): Promise<number> {
  const cache = createParseCache()
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== '') stdout.write(`${renderBatchLine(line, cache)}\n`)
  }
  return 0
}

/** Answers one request of a batch. A request that cannot be read is answered with an error. */
export function renderBatchLine(line: string, cache = createParseCache()): string {
  let id: unknown = null
  try {
    const request = JSON.parse(line) as { id?: unknown; dir?: unknown; flags?: unknown }
    id = request.id ?? null
    const flagList = Array.isArray(request.flags) ? request.flags.map(String) : []
    const parsed = parseRenderArguments([...flagList, '--', String(request.dir ?? '.')])
    if ('error' in parsed) return JSON.stringify({ id, error: parsed.error })
    const { resources, problems } = renderDirectory(parsed.directory, { ...parsed.options, cache })
    if (problems.length > 0) return JSON.stringify({ id, error: describeProblems(problems) })
    return JSON.stringify({ id, yaml: printResources(resources) })
  } catch (error) {
    return JSON.stringify({ id, error: error instanceof Error ? error.message : String(error) })
  }
}
