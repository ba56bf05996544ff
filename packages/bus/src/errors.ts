/** Why the bus could not do what was asked. Unavailable: try again later. NotFound: wait for a newer message. */
export type BusErrorCode = 'Unavailable' | 'NotFound' | 'Damaged' | 'TooLarge' | 'Configuration'

export class BusError extends Error {
  override name = 'BusError'
  readonly code: BusErrorCode

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
