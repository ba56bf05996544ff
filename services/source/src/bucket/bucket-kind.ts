import { createHash } from 'node:crypto'
import { BucketClient } from '@setpoint/bucket'
import { BucketLogins, type CloudLogins } from '@setpoint/cloud'
import { BUCKET, type Bucket } from '@setpoint/contracts'
import type { SourceContext } from '../context.ts'
import type { SourceEntry } from '../entry.ts'
import { readListing } from '../listing.ts'
import type { Fetched, SourceKind } from '../source-kind.ts'
import { digestOfUrl, type SourceState } from '../state.ts'
import type { Made } from '../status.ts'
import type { BucketContext, BucketParts, BucketTask, ListedFile, Remote } from './bucket-context.ts'
import { download } from './download.ts'
import { listFiles } from './listed-files.ts'
import { readRemote } from './remote.ts'

/** Buckets: the objects in them, as files. */
export class BucketKind implements SourceKind<Bucket> {
  readonly gvk = BUCKET
  readonly directory = 'buckets'
  private readonly parts: BucketParts

  constructor(options: { now(): number; allowLinkLocal: boolean; clouds: CloudLogins }) {
    this.parts = {
      buckets: new BucketClient(options),
      bucketLogins: new BucketLogins(options.clouds, options.now),
    }
  }

  async close(): Promise<void> {
    await this.parts.buckets[Symbol.asyncDispose]()
  }

  async look(shared: SourceContext<Bucket>, task: BucketTask): Promise<Fetched | undefined> {
    const context = { ...shared, ...this.parts }
    const remote = await readRemote(context, task)
    const files = await listFiles(context, remote, task.object.spec)
    const revision = revisionOf(files)
    return isNews(task, revision) ? fetchArtifact(context, task, remote, { files, revision }) : undefined
  }

  made(_bucket: Bucket, { ignore }: SourceState): Made {
    return { observed: ignore === '' ? {} : { observedIgnore: ignore }, verified: undefined }
  }

  news({ spec }: Bucket, { tree }: SourceState): string {
    return `stored artifact with ${tree.files} fetched files from '${spec.bucketName}' bucket`
  }
}

/** As Flux: the digest of all names and tags. */
function revisionOf(files: ListedFile[]): string {
  const hash = createHash('sha256')
  for (const { key, etag } of files) hash.update(`${key} ${etag}\n`)
  return `sha256:${hash.digest('hex')}`
}

const placeOf = ({ endpoint, bucketName }: Bucket['spec']): string => digestOfUrl(`${endpoint}/${bucketName}`)

function isNews({ known: { state }, object: { spec } }: BucketTask, revision: string): boolean {
  return (
    state === undefined ||
    state.urlDigest !== placeOf(spec) ||
    state.revision !== revision ||
    state.ignore !== (spec.ignore ?? '')
  )
}

async function fetchArtifact(
  context: BucketContext,
  task: BucketTask,
  remote: Remote,
  { files, revision }: { files: ListedFile[]; revision: string },
): Promise<Fetched> {
  const { spec } = task.object
  const place = placeOf(spec)
  const idOf = ({ key, etag, size }: ListedFile) =>
    createHash('sha256')
      .update(JSON.stringify([place, key, etag, size]))
      .digest('hex')
  const contents = await download(context, task, remote, files, idOf)
  const entries = files.map((file) => toEntry(file, idOf(file), contents))
  const listing = await readListing(context, task, entries, { takesAll: true })
  const state = {
    urlDigest: place,
    resolved: revision,
    revision,
    id: revision.slice('sha256:'.length),
    subject: '',
    ignore: spec.ignore ?? '',
    recipe: '',
    included: [],
  }
  return { state, listing }
}

function toEntry({ path }: ListedFile, oid: string, contents: ReadonlyMap<string, Uint8Array>): SourceEntry {
  const read = async () => {
    const content = contents.get(oid)
    if (content === undefined) throw new Error(`the content of "${path}" was not downloaded`)
    return content
  }
  return { path, oid, mode: '100644', read }
}
