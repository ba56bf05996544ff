import type { Json } from './object.ts'

/** Node 21+ hands a reviver the source text of a number, and prints raw JSON; TypeScript's library has neither yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/** JSON text of a value, with long integers written in full. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? rawJson(item.toString()) : item,
  )
}

/**
 * Parses JSON; integers that a number cannot hold exactly become bigint.
 * @throws SyntaxError when the text is no JSON.
 */
export function parseJson(text: string): Json {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text) as Json
  return parseWithSource(text, (_key, value, { source }) =>
    typeof value === 'number' &&
    source !== undefined &&
    !Number.isSafeInteger(value) &&
    /^-?\d+$/.test(source)
      ? BigInt(source)
      : value,
  ) as Json
}

/** Most texts hold no number this long, and parsing with a reviver is several times slower. */
const LONG_INTEGER = /\d{16}/
