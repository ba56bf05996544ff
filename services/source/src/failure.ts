import { AccessError } from '@setpoint/access'
import { ArtifactError } from '@setpoint/artifact'
import { BucketError } from '@setpoint/bucket'
import { BusError } from '@setpoint/bus'
import { CloudError } from '@setpoint/cloud'
import { GitError, type GitErrorCode } from '@setpoint/git'
import { KubeApiError, KubeUnreachableError } from '@setpoint/kube'
import { ReconcileError, Stalled } from '@setpoint/reconcile'
import { RegistryError } from '@setpoint/registry'
import { diskProblem } from './disk.ts'
import { BaseLost } from './storage/base-lost.ts'

/** Which of Flux's conditions says that something went wrong. */
export type FailureCondition =
  | 'FetchFailed'
  | 'StorageOperationFailed'
  | 'IncludeUnavailable'
  | 'SourceVerified'

/** A failed step, with the condition that shows it. */
export class SourceFailure extends ReconcileError {
  override name = 'SourceFailure'
  readonly condition: FailureCondition

  constructor(
    condition: FailureCondition,
    reason: string,
    message: string,
    options?: ErrorOptions & { retryAfterMs?: number },
  ) {
    super(reason, message, options)
    this.condition = condition
  }
}

const BUS_RETRY_MS = 2_000

/** What a failure means for the object; undefined when the API server is away, or the next run mends it by itself. */
export function toFailure(error: unknown): SourceFailure | Stalled | undefined {
  const isOfRun =
    error instanceof KubeApiError || error instanceof KubeUnreachableError || error instanceof BaseLost
  return isOfRun ? undefined : (knownFailure(error) ?? unexpected(error))
}

function knownFailure(error: unknown): SourceFailure | Stalled | undefined {
  if (error instanceof SourceFailure || error instanceof Stalled) return error
  if (error instanceof CloudError) return fromCloud(error)
  if (error instanceof AccessError) return fromAccess(error)
  if (error instanceof GitError) return fromGit(error)
  if (error instanceof BucketError) return fromBucket(error)
  if (error instanceof RegistryError) return fromRegistry(error)
  if (error instanceof BusError)
    return storage('PublishFailed', `cannot hand the artifact on: ${error.message}`, error, BUS_RETRY_MS)
  if (error instanceof ArtifactError) return storage('ArchiveOperationFailed', error.message, error)
  const disk = diskProblem(error)
  if (disk !== undefined)
    return storage(
      'ArchiveOperationFailed',
      `the storage of the source service cannot be written: ${disk}`,
      error,
    )
  return undefined
}

/** The reason of what nobody thought of. */
export const UNEXPECTED = 'Failed'

/** A fault of ours. Its text is for the log alone: nobody knows what is in it. */
function unexpected(error: unknown): SourceFailure {
  const name = error instanceof Error ? error.name : typeof error
  const message = `the source service failed in an unexpected way (${name}); its log says more`
  return new SourceFailure('FetchFailed', UNEXPECTED, message, { cause: error })
}

function fromAccess({ code, message }: AccessError): SourceFailure {
  const reason = code === 'InvalidProvider' ? 'InvalidProviderConfiguration' : 'AuthenticationFailed'
  return new SourceFailure('FetchFailed', reason, message)
}

function fromCloud({ code, message }: CloudError): SourceFailure | Stalled {
  if (code === 'FeatureGateDisabled') return new Stalled(code, message)
  return new SourceFailure('FetchFailed', 'AuthenticationFailed', message)
}

const REASONS: Partial<Record<GitErrorCode, string>> = {
  AuthenticationFailed: 'AuthenticationFailed',
  EmptyRepository: 'EmptyGitRepository',
  IllegalPath: 'IllegalPath',
}

function fromGit(error: GitError): SourceFailure {
  if (error.code === 'DiskFull') return storage('ArchiveOperationFailed', error.message, error)
  const reason = REASONS[error.code] ?? 'GitOperationFailed'
  const { retryAfterMs } = error
  return new SourceFailure('FetchFailed', reason, error.message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

const CHANGED_RETRY_MS = 1_000

function fromBucket(error: BucketError): SourceFailure {
  const { code, message } = error
  const reason = code === 'AuthenticationFailed' ? code : 'BucketOperationFailed'
  return new SourceFailure('FetchFailed', reason, message, {
    cause: error,
    ...(code === 'Changed' ? { retryAfterMs: CHANGED_RETRY_MS } : {}),
  })
}

function fromRegistry(error: RegistryError): SourceFailure {
  const { code, message, retryAfterMs } = error
  const reason = code === 'AuthenticationFailed' ? code : 'OCIArtifactPullFailed'
  return new SourceFailure('FetchFailed', reason, message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function storage(reason: string, message: string, cause: unknown, retryAfterMs?: number): SourceFailure {
  return new SourceFailure('StorageOperationFailed', reason, message, {
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
