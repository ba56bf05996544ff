import { createDecipheriv } from 'node:crypto'
import { SopsError } from './error.ts'
import { type Leaf, Timestamp } from './value.ts'

const FORM = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/

/** Whether a text has the form of an encrypted value. */
export function isEncrypted(text: string): boolean {
  return FORM.test(text)
}

/**
 * Decrypts one value. The place where it stands is authenticated with it: moved elsewhere, it cannot be read.
 * @param place the keys that lead to it, each followed by a colon; for a MAC, the time of the file.
 * @throws SopsError BadValue, without a place or a value in the message.
 */
export function decryptValue(text: string, dataKey: Uint8Array, place: string): Leaf {
  if (text === '') return ''
  const match = FORM.exec(text)
  if (match === null) throw new SopsError('BadValue', 'is not encrypted, although it should be')
  const [data, iv, tag] = match.slice(1, 4).map((part) => Buffer.from(part, 'base64'))
  if (data === undefined || iv === undefined || tag === undefined || tag.length !== 16)
    throw new SopsError('BadValue', 'is damaged')
  return typed(open(data, iv, tag, dataKey, place), match[4] ?? '')
}

function open(data: Buffer, iv: Buffer, tag: Buffer, dataKey: Uint8Array, place: string): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, iv, { authTagLength: 16 })
    decipher.setAuthTag(tag)
    decipher.setAAD(Buffer.from(place))
    return Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8')
  } catch {
    throw new SopsError('BadValue', 'was changed or moved after it was encrypted')
  }
}

function typed(text: string, type: string): Leaf {
  switch (type) {
    case 'str':
    case 'bytes':
    case 'comment':
      return text
    case 'int':
      return integer(text)
    case 'float':
      return Number(text)
    case 'bool':
      return text.toLowerCase() === 'true'
    case 'time':
      return new Timestamp(text)
    default:
      throw new SopsError('BadValue', `has the type "${type}", which is not known`)
  }
}

function integer(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new SopsError('BadValue', 'is no integer, although it says so')
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : BigInt(text)
}
