import type { Environment } from '@marcbachmann/cel-js'
import { format } from './format.ts'

/** No text that an expression makes is longer. */
const MAX_TEXT = 1024 * 1024

class StringsLibrary {}

/** What the library of text functions has and the CEL library lacks. */
export function registerStrings(environment: Environment): void {
  environment.registerType('StringsLibrary', StringsLibrary)
  environment.registerConstant('strings', 'StringsLibrary', new StringsLibrary())
  environment.registerFunction('StringsLibrary.quote(string): string', (_strings: unknown, text: string) =>
    JSON.stringify(text),
  )
  environment.registerFunction('string.charAt(int): string', charAt)
  environment.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
  environment.registerFunction(
    'string.replace(string, string): string',
    (text: string, from: string, to: string) => replace(text, from, to, Number.POSITIVE_INFINITY),
  )
  environment.registerFunction(
    'string.replace(string, string, int): string',
    (text: string, from: string, to: string, times: bigint) =>
      replace(text, from, to, times < 0n ? Number.POSITIVE_INFINITY : Number(times)),
  )
  environment.registerFunction('string.format(list): string', (text: string, values: unknown[]) =>
    bounded(format(text, values)),
  )
}

function charAt(text: string, index: bigint): string {
  const characters = [...text]
  if (index < 0n || index > BigInt(characters.length)) throw new Error(`index out of range: ${index}`)
  return characters[Number(index)] ?? ''
}

function replace(text: string, from: string, to: string, times: number): string {
  const parts = text.split(from)
  const replaced = Math.min(times, parts.length - 1)
  if (text.length + replaced * to.length > MAX_TEXT) throw tooLong()
  const kept = parts.slice(replaced).join(from)
  return [...parts.slice(0, replaced), kept].join(to)
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw tooLong()
  return text
}

function tooLong(): Error {
  return new Error(`a text would be longer than ${MAX_TEXT} characters`)
}
