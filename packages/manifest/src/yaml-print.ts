import type { Json, JsonObject } from './object.ts'
import { compareKeys } from './yaml-key-order.ts'
import { formatFloat, scalarLines } from './yaml-print-scalar.ts'

/** One document as sigs.k8s.io/yaml prints it: sorted keys, two spaces, lists not indented. Ends with a newline. */
export function printYaml(value: Json): string {
  const out: string[] = []
  if (isBlock(value)) writeBlock(out, value, 0)
  else out.push(inlineText(value, 0, 0))
  return `${out.join('\n')}\n`
}

/** A stream: the documents parted by `---`. */
export function printYamlStream(values: readonly Json[]): string {
  return values.map(printYaml).join('---\n')
}

function isBlock(value: Json): value is Json[] | JsonObject {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0
}

function writeBlock(out: string[], value: Json[] | JsonObject, indent: number): void {
  if (Array.isArray(value)) writeList(out, value, indent)
  else writeMap(out, value, indent)
}

function writeMap(out: string[], map: JsonObject, indent: number): void {
  const pad = ' '.repeat(indent)
  for (const key of Object.keys(map).sort(compareKeys)) {
    const value = map[key] ?? null
    const long = !isSimpleKey(key)
    const head = long
      ? `${pad}? ${inlineText(key, indent + 2, indent + 2)}\n${pad}:`
      : `${pad}${inlineText(key, 0, 0, true)}:`
    if (!isBlock(value)) {
      out.push(`${head} ${inlineText(value, indent + 2, (long ? indent + 1 : head.length) + 1)}`)
    } else if (long) {
      pushNested(out, `${head} `, value, indent + 2)
    } else {
      out.push(head)
      writeBlock(out, value, Array.isArray(value) ? indent : indent + 2)
    }
  }
}

/** A key of one line that is not too long, as libyaml counts its bytes. */
function isSimpleKey(key: string): boolean {
  if (key.length <= 42) return !/[\r\n\x85\u2028\u2029]/.test(key)
  return Buffer.byteLength(key) <= 128 && !/[\r\n\x85\u2028\u2029]/.test(key)
}

function writeList(out: string[], list: Json[], indent: number): void {
  const head = `${' '.repeat(indent)}- `
  for (const item of list) {
    if (isBlock(item)) pushNested(out, head, item, indent + 2)
    else out.push(head + inlineText(item, indent + 2, head.length))
  }
}

/** Writes a block whose first line follows a `- `. */
function pushNested(out: string[], head: string, value: Json[] | JsonObject, indent: number): void {
  const at = out.length
  writeBlock(out, value, indent)
  out[at] = head + (out[at] ?? '').slice(indent)
}

function inlineText(value: Json, indent: number, column: number, isKey = false): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return scalarLines(value, { indent, column, isKey })
  if (typeof value === 'number') return formatFloat(value)
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}'
  return String(value)
}
