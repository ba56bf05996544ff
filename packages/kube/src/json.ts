/** JSON of a value; integers that are held as bigint keep all their digits. */
export function encodeJson(value: unknown): Buffer {
  return Buffer.from(stringify(value))
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // The common case has no bigint, and a replacer makes JSON.stringify several times slower.
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, (_key, item: unknown) =>
      typeof item === 'bigint' ? rawJson(item.toString()) : item,
    )
  }
}

function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}
