import { refuseProto } from '../added-key.ts'

/** Splits a path; a delimiter behind a backslash is part of the name. A first empty part is dropped. */
export function splitPath(path: string, delimiter: string): string[] {
  let parts = path.split(delimiter)
  if (parts.length > 1 && parts[0] === '') parts = parts.slice(1)
  const result = [parts[0] ?? '']
  for (const part of parts.slice(1)) {
    const last = result.length - 1
    const before = result[last] ?? ''
    if (before.endsWith('\\')) result[last] = before.slice(0, -1) + delimiter + part
    else result.push(part)
  }
  for (const part of result) refuseProto(part)
  return result
}

/** The same, but a delimiter within brackets is part of the name: `[name=a.b]`, `[a.b/c]`. */
export function splitFieldPath(path: string, delimiter: string): string[] {
  const parts = splitPath(path, delimiter)
  const result: string[] = []
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? ''
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part)
      continue
    }
    const bracketed = [part]
    while (at < parts.length - 1 && !(bracketed.at(-1) ?? '').endsWith(']')) {
      at += 1
      bracketed.push(parts[at] ?? '')
    }
    const whole = bracketed.join(delimiter)
    result.push(whole.includes('=') ? whole : whole.replace(/^[[\]]+|[[\]]+$/g, ''))
  }
  return result
}
