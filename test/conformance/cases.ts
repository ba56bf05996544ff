import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { BuildOptions, FileSource } from '@setpoint/kustomize'
import { memoryFiles } from '@setpoint/kustomize'

/** A build with the answer of the real kustomize. */
export interface Case {
  id: string
  flags: string[]
  root: string
  files: Record<string, string>
  filesBase64?: Record<string, string> | null
  dirs?: string[] | null
  symlinks?: Record<string, string> | null
  wantYaml: string | null
  wantError: string | null
  reads?: string[] | null
  features: string[]
}

const caseFile = new URL('../../../shared/conformance/kustomize/open.jsonl.gz', import.meta.url)

/** The cases; undefined where the folder does not lie beside the repository. */
export function loadCases(): Case[] | undefined {
  if (!existsSync(caseFile)) return undefined
  const lines = gunzipSync(readFileSync(caseFile)).toString('utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Case)
}

const rootToken = '@@CASE_ROOT@@'

/** The tree of a case, its root being that of the file system. */
export function caseFiles(testCase: Case): FileSource {
  const files: Record<string, string | Uint8Array> = {}
  for (const [path, content] of Object.entries(testCase.files))
    files[path.slice(1)] = content.replaceAll(rootToken, '')
  for (const [path, content] of Object.entries(testCase.filesBase64 ?? {}))
    files[path.slice(1)] = Buffer.from(content, 'base64')
  const links = new Map(
    Object.entries(testCase.symlinks ?? {}).map(([path, target]) => [
      path.slice(1),
      target.replaceAll(rootToken, ''),
    ]),
  )
  const directories = new Set((testCase.dirs ?? []).map((path) => path.slice(1)))
  const memory = memoryFiles(files)
  return {
    ...memory,
    isWholeFileSystem: true,
    kind: (path) =>
      links.has(path) ? 'symlink' : (memory.kind(path) ?? (directories.has(path) ? 'directory' : undefined)),
    readlink: (path) => links.get(path) ?? '',
  }
}

export function caseOptions({ flags }: Case): BuildOptions {
  const value = (flag: string) => flags[flags.indexOf(flag) + 1]
  const options: BuildOptions = {}
  if (flags.includes('--reorder')) options.reorder = value('--reorder') === 'none' ? 'none' : 'legacy'
  if (flags.includes('--load-restrictor')) {
    options.loadRestrictor = value('--load-restrictor') === 'LoadRestrictionsNone' ? 'none' : 'rootOnly'
  }
  if (flags.includes('--enable-managedby-label')) options.enableManagedByLabel = true
  return options
}
