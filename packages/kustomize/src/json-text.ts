import { SourceScalar } from '@setpoint/manifest'
import type { Value, ValueMap } from './value.ts'

/** JSON as Go writes it: sorted keys, and `<`, `>`, `&` escaped. */
export function printJson(value: Value): string {
  if (value instanceof SourceScalar) return printJson(value.value)
  if (typeof value === 'string') return printString(value)
  if (Array.isArray(value)) return `[${value.map(printJson).join(',')}]`
  if (typeof value === 'object' && value !== null) return printMap(value)
  return typeof value === 'number' ? printNumber(value) : String(value)
}

function printMap(map: ValueMap): string {
  const entries = Object.keys(map)
    .sort()
    .map((key) => `${printString(key)}:${printJson(map[key] ?? null)}`)
  return `{${entries.join(',')}}`
}

const escapes: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

function printString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character)
}

function printNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString()
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}
