import { Buffer } from 'node:buffer'
import { Document } from 'yaml'
import { printDotenv } from './dotenv-file.ts'
import type { EncryptedFile } from './encrypted-file.ts'
import { SopsError } from './error.ts'
import type { Format } from './format.ts'
import { printIni } from './ini-file.ts'
import { printJsonTree } from './print-json.ts'
import type { Branch } from './value.ts'

/**
 * The bytes of a decrypted file in a format, its own or another.
 * @throws SopsError BadFile when the other format cannot hold it.
 */
export function printFile(file: EncryptedFile, from: Format, to: Format): Uint8Array {
  const text = from === to && to !== 'binary' ? file.print() : convert(file.branches(), to)
  return Buffer.from(text)
}

function convert(branches: Branch[], to: Format): string {
  const [branch = new Map()] = branches
  if (to === 'yaml')
    return branches.map((one) => new Document(one).toString({ indent: 4, lineWidth: 0 })).join('---\n')
  if (to === 'json') return printJsonTree(branch)
  if (to === 'dotenv') return printDotenv(branch)
  if (to === 'ini') return printIni(branch)
  const data = branch.get('data')
  if (typeof data === 'string') return data
  throw new SopsError(
    'BadFile',
    'holds no text under "data", so that it has no form but its own; name it .yaml, .json, .env or .ini',
  )
}
