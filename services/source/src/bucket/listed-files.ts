import type { BucketObject } from '@setpoint/bucket'
import { compileIgnore, SOURCE_IGNORE } from '@setpoint/git'
import { SourceFailure } from '../failure.ts'
import type { BucketContext, ListedFile, Remote } from './bucket-context.ts'

const MAX_IGNORE_BYTES = 1024 * 1024

/** The objects that become files, sorted by their names. @throws BucketError, SourceFailure */
export async function listFiles(
  { buckets, limits, metrics }: BucketContext,
  { access, call }: Remote,
  { prefix = '', ignore = '' }: { prefix?: string; ignore?: string },
): Promise<ListedFile[]> {
  const rules = await buckets.find(access, SOURCE_IGNORE, { ...call, maxBytes: MAX_IGNORE_BYTES })
  metrics.listed()
  const objects = await buckets.list(access, { ...call, prefix, maxObjects: limits.trees.maxFiles })
  const files = rules === undefined ? [] : [{ path: SOURCE_IGNORE, content: rules.toString('utf8') }]
  // Unlike in a Git repository, what nobody names is not left out.
  const { excludes } = compileIgnore({ files, spec: ignore, onlyGiven: true })
  const kept = objects.filter(({ key }) => !key.endsWith('/') && key !== SOURCE_IGNORE && !excludes(key))
  const listed = kept.map((object) => ({ ...object, path: pathOf(object, limits.trees.maxDepth) }))
  refuseClashes(listed)
  return listed.sort((a, b) => (a.key < b.key ? -1 : 1))
}

function pathOf({ key }: BucketObject, maxDepth: number): string {
  const parts = key.split('/').filter((part) => part !== '')
  if (parts.some((part) => part === '.' || part === '..') || /[\\\0]/.test(key))
    throw illegal(`the bucket has an object with the name ${JSON.stringify(key)}, which is refused`)
  if (parts.length > maxDepth + 1)
    throw illegal(`the object ${JSON.stringify(key)} is more than ${maxDepth} directories deep`)
  return parts.join('/')
}

/** In a bucket, `a` and `a/b` may both be objects. */
function refuseClashes(files: ListedFile[]): void {
  const paths = new Set<string>()
  const directories = new Set<string>()
  for (const { path } of files) {
    if (paths.has(path)) throw illegal(`the bucket has two objects for the file "${path}"`)
    paths.add(path)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      directories.add(path.slice(0, at))
  }
  for (const path of paths)
    if (directories.has(path))
      throw illegal(`the bucket has the object "${path}" and others below it; leave one out with spec.ignore`)
}

function illegal(message: string): SourceFailure {
  return new SourceFailure('FetchFailed', 'IllegalPath', message)
}
