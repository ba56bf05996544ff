/**
 * Damaged: the bytes are no archive, no snapshot or delta of ours, or belong to another base. TooLarge: over a limit.
 * IllegalPath: a file would leave the tree, or be in the way of another. Unsupported: neither a file nor a directory.
 */
export type ArtifactErrorCode = 'Damaged' | 'TooLarge' | 'IllegalPath' | 'Unsupported'

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError'
  readonly code: ArtifactErrorCode

  constructor(code: ArtifactErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
