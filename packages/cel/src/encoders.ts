import { Buffer } from 'node:buffer'
import type { Environment } from '@marcbachmann/cel-js'

class Base64Library {}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/** `base64.encode(bytes)`, `base64.decode(text)`. */
export function registerEncoders(environment: Environment): void {
  environment.registerType('Base64Library', Base64Library)
  environment.registerConstant('base64', 'Base64Library', new Base64Library())
  environment.registerFunction('Base64Library.encode(bytes): string', (_base64: unknown, bytes: Uint8Array) =>
    Buffer.from(bytes).toString('base64'),
  )
  environment.registerFunction('Base64Library.decode(string): bytes', (_base64: unknown, text: string) => {
    if (!BASE64.test(text)) throw new Error('base64.decode: the text is no base64')
    return new Uint8Array(Buffer.from(text, 'base64'))
  })
}
