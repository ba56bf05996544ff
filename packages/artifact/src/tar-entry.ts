/** One entry of a tar archive; a directory's path ends in a slash. */
export interface TarEntry {
  path: string
  type: 'file' | 'directory'
  mode: number
  content?: Uint8Array
}

const BLOCK = 512
const MAX_NAME_BYTES = 100

/** The blocks of one entry. A name that does not fit a plain header is written in a PAX header before it. */
export function* tarEntry(entry: TarEntry): Iterable<Uint8Array> {
  const content = entry.content ?? new Uint8Array()
  if (Buffer.byteLength(entry.path) > MAX_NAME_BYTES || !isAscii(entry.path)) yield* paxHeader(entry.path)
  yield header(entry.path, entry.type === 'directory' ? '5' : '0', entry.mode, content.length)
  yield* padded(content)
}

/** Two empty blocks end an archive. */
export function tarTrailer(): Uint8Array {
  return new Uint8Array(2 * BLOCK)
}

function* paxHeader(path: string): Iterable<Uint8Array> {
  const record = Buffer.from(paxRecord('path', path))
  yield header('PaxHeader', 'x', 0o600, record.length)
  yield* padded(record)
}

/** `<length> path=<value>\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  if (String(length).length !== String(bytes).length) length = bytes + String(length).length
  return `${length}${rest}`
}

function header(path: string, type: string, mode: number, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  Buffer.from(path).copy(block, 0, 0, MAX_NAME_BYTES)
  block.write(`${octal(mode, 7)}\0`, 100)
  block.write(`${octal(0, 7)}\0`, 108)
  block.write(`${octal(0, 7)}\0`, 116)
  block.write(`${octal(size, 11)}\0`, 124)
  block.write(`${octal(0, 11)}\0`, 136)
  block.write('        ', 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257, 'latin1')
  let sum = 0
  for (let at = 0; at < BLOCK; at += 1) sum += block[at] ?? 0
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function* padded(content: Uint8Array): Iterable<Uint8Array> {
  if (content.length === 0) return
  yield content
  const rest = content.length % BLOCK
  if (rest > 0) yield new Uint8Array(BLOCK - rest)
}

const octal = (value: number, width: number): string => value.toString(8).padStart(width, '0')
const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
