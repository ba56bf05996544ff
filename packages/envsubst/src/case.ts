/** Upper case, one character for each: `ß` stays, as in Go. */
export function toUpperCase(text: string): string {
  return mapCharacters(text, (character) => character.toUpperCase())
}

/** Lower case, one character for each. */
export function toLowerCase(text: string): string {
  return mapCharacters(text, (character) => character.toLowerCase())
}

/** Changes only the first character. */
export function withFirst(text: string, change: (text: string) => string): string {
  const [first = ''] = text
  return change(first) + text.slice(first.length)
}

function mapCharacters(text: string, map: (character: string) => string): string {
  if (/^[\0-\x7f]*$/.test(text)) return map(text)
  let mapped = ''
  for (const character of text) {
    const candidate = map(character)
    mapped += Array.from(candidate).length === 1 ? candidate : simple(character)
  }
  return mapped
}

/** The one letter whose simple lower case differs from its full one. */
function simple(character: string): string {
  return character === 'İ' ? 'i' : character
}
