/** The documents of a YAML text; joined they are the text. Each but the first begins with its `---` or `...`. */
export function splitDocuments(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (const { index } of text.matchAll(/^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm)) {
    if (index > start) parts.push(text.slice(start, index))
    start = index
  }
  parts.push(text.slice(start))
  return parts
}
