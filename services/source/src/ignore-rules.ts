import { compileIgnore, type Ignore, SOURCE_IGNORE } from '@setpoint/git'
import type { Task } from './context.ts'
import type { SourceEntry } from './entry.ts'

/** The rules are compiled, and a path is looked at, only when a rule has changed or the path is new. */
export async function ignoreRules(task: Task, entries: SourceEntry[]): Promise<(path: string) => boolean> {
  const sources = entries.filter(({ path, mode }) => mode !== '120000' && isIgnoreFile(path))
  const spec = task.object.spec.ignore ?? ''
  const key = JSON.stringify([spec, sources.map(({ path, oid }) => [path, oid])])
  const { known } = task
  if (known.ignore?.key !== key)
    known.ignore = { key, rules: await compile(sources, spec), excluded: new Map() }
  const { rules, excluded } = known.ignore
  if (excluded.size > 2 * entries.length + 1000) excluded.clear()
  return (path) => {
    const before = excluded.get(path)
    if (before !== undefined) return before
    const answer = rules.excludes(path)
    excluded.set(path, answer)
    return answer
  }
}

async function compile(sources: SourceEntry[], spec: string): Promise<Ignore> {
  const files = []
  for (const { path, read } of sources)
    files.push({ path, content: Buffer.from(await read()).toString('utf8') })
  return compileIgnore({ files, spec })
}

/** The file says what is ignored. */
export const isIgnoreFile = (path: string): boolean =>
  path === SOURCE_IGNORE || path.endsWith(`/${SOURCE_IGNORE}`)
