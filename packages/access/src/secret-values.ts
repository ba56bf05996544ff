/** The values of a Secret. None of them is ever part of a message. */
export interface SecretValues {
  /** `namespace/name`, for messages. */
  name: string
  /** All keys, sorted. */
  keys: string[]
  /** The text of the first of these keys that has one. */
  get(...keys: string[]): string | undefined
}

/** Reads `data` of a Secret as the API server gives it, in base64. */
export function secretValues(name: string, data: unknown): SecretValues {
  const values: Record<string, unknown> = typeof data === 'object' && data !== null ? { ...data } : {}
  const text = (key: string) => {
    const value = values[key]
    return typeof value === 'string' && value !== ''
      ? Buffer.from(value, 'base64').toString('utf8')
      : undefined
  }
  return {
    name,
    keys: Object.keys(values).sort(),
    get: (...keys) => keys.map(text).find((value) => value !== undefined),
  }
}
