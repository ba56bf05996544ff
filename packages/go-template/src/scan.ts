import { TemplateError } from './errors.ts'

/** Text as it stands, or what is between `{{` and `}}`, with the line on which it begins. */
export interface Part {
  kind: 'text' | 'action'
  content: string
  line: number
}

/** Splits a template. `{{-` and `-}}` take the white space beside them away; comments are left out. @throws TemplateError */
export function scan(source: string): Part[] {
  const parts: Part[] = []
  let at = 0
  let trimNext = false
  for (;;) {
    const open = source.indexOf('{{', at)
    const text = source.slice(at, open < 0 ? undefined : open)
    const trimsBefore = open >= 0 && /^-\s/.test(source.slice(open + 2, open + 4))
    const kept = trimsBefore ? (trimNext ? text.trim() : text.trimEnd()) : trimNext ? text.trimStart() : text
    if (kept !== '') parts.push({ kind: 'text', content: kept, line: lineAt(source, at) })
    if (open < 0) return parts
    const close = endOf(source, open + 2)
    let content = source.slice(open + 2 + (trimsBefore ? 1 : 0), close)
    trimNext = /\s-$/.test(content)
    if (trimNext) content = content.slice(0, -1)
    content = content.trim()
    if (!/^\/\*[\s\S]*\*\/$/.test(content))
      parts.push({ kind: 'action', content, line: lineAt(source, open) })
    at = close + 2
  }
}

/** Where the action ends; `}}` inside of a string does not count. */
function endOf(source: string, from: number): number {
  let quote = ''
  for (let at = from; at < source.length; at += 1) {
    const char = source[at] ?? ''
    if (quote !== '') {
      if (char === '\\' && quote === '"') at += 1
      else if (char === quote) quote = ''
    } else if (char === '"' || char === '`') quote = char
    else if (source.startsWith('}}', at)) return at
  }
  throw new TemplateError(`line ${lineAt(source, from)}: an action is not closed with }}`)
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}
