import { SourceFailure } from '../failure.ts'
import { heldBlob } from '../listing.ts'
import type { BucketContext, BucketTask, ListedFile, Remote } from './bucket-context.ts'

const PARALLEL = 16

/** Names the content of a file: another tag, size or bucket makes another id. */
export type IdOf = (file: ListedFile) => string

/** The contents that are not known yet, by id, several at a time. @throws BucketError, SourceFailure when they are too large */
export async function download(
  context: BucketContext,
  { known }: BucketTask,
  remote: Remote,
  files: ListedFile[],
  idOf: IdOf,
): Promise<Map<string, Uint8Array>> {
  checkSizes(context, files)
  const contents = new Map<string, Uint8Array>()
  const missing = files.filter((file) => heldBlob(context.packs, known, { oid: idOf(file) }) === undefined)
  const waiting = missing.values()
  const work = async () => {
    for (const file of waiting)
      contents.set(idOf(file), await context.buckets.read(remote.access, file, remote.call))
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  const bytes = missing.reduce((sum, { size }) => sum + size, 0)
  context.metrics.fetched(missing.length === files.length ? 'full' : 'new', bytes)
  return contents
}

/** Before anything is downloaded. */
function checkSizes({ limits }: BucketContext, files: ListedFile[]): void {
  let total = 0
  for (const { path, size } of files) {
    total += size
    if (size > limits.fileBytes)
      throw tooLarge(
        `"${path}" has ${size} bytes, more than the limit of ${limits.fileBytes} (--max-file-bytes)`,
      )
  }
  if (total > limits.artifactBytes)
    throw tooLarge(
      `the objects have ${total} bytes, more than the limit of ${limits.artifactBytes} (--max-artifact-bytes)`,
    )
}

function tooLarge(message: string): SourceFailure {
  return new SourceFailure(
    'StorageOperationFailed',
    'ArchiveOperationFailed',
    `${message}; leave objects out with spec.ignore`,
  )
}
