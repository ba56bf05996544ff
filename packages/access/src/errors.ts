/** A Secret or a setting of a GitRepository that it cannot be reached with. The message never holds a value of a Secret. */
export class AccessError extends Error {
  override name = 'AccessError'
  /** InvalidUrl and InvalidProvider only go away with a change of the spec or the Secret. */
  readonly code: 'InvalidUrl' | 'InvalidProvider' | 'UnusableSecret'

  constructor(code: AccessError['code'], message: string) {
    super(message)
    this.code = code
  }
}
