/** Damaged: the bytes are no snapshot or delta of ours, or belong to another base. TooLarge: over a limit. */
export type ArtifactErrorCode = 'Damaged' | 'TooLarge'

export class ArtifactError extends Error {
  override readonly name = 'ArtifactError'
  readonly code: ArtifactErrorCode

  constructor(code: ArtifactErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
