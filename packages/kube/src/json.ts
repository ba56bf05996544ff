import { stringifyJson } from '@setpoint/manifest'

/** JSON of a value; integers that are held as bigint keep all their digits. */
export function encodeJson(value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    // The common case has no bigint, which JSON.stringify refuses; looking at every value takes several times longer.
    if (!(error instanceof TypeError)) throw error
    return Buffer.from(stringifyJson(value))
  }
}
