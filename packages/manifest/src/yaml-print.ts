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
    const printed = inlineText(key, 0, 0, true)
    const value = map[key] ?? null
    const long = key.length > 128 || printed.includes('\n')
    const head = long ? `${pad}? ${printed}\n${pad}:` : `${pad}${printed}:`
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
