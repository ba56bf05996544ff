import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditedWrite, auditedWrites } from '../audited-writes.ts'
import { NAMESPACE, type WholeSet } from '../harness.ts'

const BEFORE_MS = 15_000
const AFTER_MS = 2_000
const MAX_LINES = 80

interface Entry {
  at: number
  text: string
}

/** Who wrote what when: the writes to an app, and what the services logged of it and of its source, around a time. */
export async function timelineOf(set: WholeSet, app: string, at: number): Promise<string> {
  const isNear = (entry: Entry) => entry.at > at - BEFORE_MS && entry.at < at + AFTER_MS
  const writes = (await auditedWrites(set.plane)).filter(({ name }) => isOf(app, name)).map(entryOf)
  const entries = [...writes, ...(await logged(set, app))].filter(isNear).sort((a, b) => a.at - b.at)
  return entries
    .slice(-MAX_LINES)
    .map(({ at, text }) => `    ${new Date(at).toISOString().slice(11, 23)} ${text}`)
    .join('\n')
}

const isOf = (app: string, name: string): boolean => name === app || name.startsWith(`${app}-`)

function entryOf({ writer, verb, resource, name, from, to }: AuditedWrite): Entry {
  return { at: from, text: `${writer} wrote: ${verb} ${resource} ${name} (${to - from} ms)` }
}

async function logged({ logDirectory }: WholeSet, app: string): Promise<Entry[]> {
  const files = (await readdir(logDirectory)).filter((file) => file.endsWith('.log'))
  const each = files.map(async (file) => {
    const text = await readFile(join(logDirectory, file), 'utf8')
    return text.split('\n').flatMap((line) => entryOfLine(file.replace(/\.log$/, ''), line, app))
  })
  return (await Promise.all(each)).flat()
}

/** A line about the app or about everything. */
function entryOfLine(replica: string, line: string, app: string): Entry[] {
  const fields = parse(line)
  if (fields === undefined) return []
  const { ts, msg, kustomization, level: _, controller: _c, service: _s, ...rest } = fields
  if (kustomization !== undefined && kustomization !== `${NAMESPACE}/${app}`) return []
  return [{ at: Date.parse(String(ts)), text: `${replica} logged: ${msg} ${JSON.stringify(rest)}` }]
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
