import { AccessError } from '@setpoint/access'
import { CloudError } from '@setpoint/cloud'
import { GitError } from '@setpoint/git'
import { PolicyError } from '@setpoint/image-policy'
import { UpdateError } from '@setpoint/image-update'
import { ReconcileError, Stalled } from '@setpoint/reconcile'
import { RegistryError } from '@setpoint/registry'

/** Shortest and longest wait after a registry asked for fewer requests. */
const MIN_RETRY_MS = 1_000

/** What a failure means for the object; undefined when it is no fault of the object, its registry or its repository. */
export function toFailure(error: unknown): ReconcileError | undefined {
  if (error instanceof ReconcileError) return error
  if (error instanceof PolicyError) return new Stalled('InvalidPolicy', error.message, { cause: error })
  if (error instanceof RegistryError) return fromRegistry(error)
  if (error instanceof CloudError) return fromCloud(error)
  if (error instanceof AccessError)
    return new ReconcileError('SourceManagerFailed', error.message, { cause: error })
  if (error instanceof UpdateError) return fromUpdate(error)
  if (error instanceof GitError) return fromGit(error)
  return undefined
}

function fromCloud({ code, message }: CloudError): ReconcileError {
  if (code === 'FeatureGateDisabled') return new Stalled(code, message)
  return new ReconcileError('AuthenticationFailed', message)
}

function fromUpdate({ reason, message, isStalled }: UpdateError): ReconcileError {
  return isStalled ? new Stalled(reason, message) : new ReconcileError(reason, message)
}

function fromGit(error: GitError): ReconcileError {
  const { message, retryAfterMs } = error
  return new ReconcileError('GitOperationFailed', message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(retryAfterMs, MIN_RETRY_MS) }),
  })
}

function fromRegistry(error: RegistryError): ReconcileError {
  const { code, message, retryAfterMs } = error
  if (code === 'InvalidName') return new Stalled('ImageURLInvalid', message, { cause: error })
  const isAuthentication = code === 'AuthenticationFailed' || code === 'InvalidCredentials'
  return new ReconcileError(isAuthentication ? 'AuthenticationFailed' : 'ReadOperationFailed', message, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.max(retryAfterMs, MIN_RETRY_MS) }),
  })
}
