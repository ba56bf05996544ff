/** The order in which Go's YAML library prints map keys: letters after the rest, runs of digits as numbers. */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0
  const at = firstDifference(left, right)
  const a = left.charCodeAt(at)
  const b = right.charCodeAt(at)
  if (isAsciiLetter(a) && isAsciiLetter(b)) return a - b
  return isLess(Array.from(left), Array.from(right)) ? -1 : 1
}

function firstDifference(left: string, right: string): number {
  let at = 0
  while (at < left.length && left.charCodeAt(at) === right.charCodeAt(at)) at += 1
  return at
}

function isAsciiLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

function isLess(left: string[], right: string[]): boolean {
  let afterDigit = false
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const a = left[at] ?? ''
    const b = right[at] ?? ''
    if (a === b) {
      afterDigit = isDigit(a)
      continue
    }
    const aLetter = isLetter(a)
    const bLetter = isLetter(b)
    if (aLetter && bLetter) return codeOf(a) < codeOf(b)
    if (aLetter || bLetter) return afterDigit ? aLetter : bLetter
    return isLessNumber(left, right, at)
  }
  return left.length < right.length
}

function isLessNumber(left: string[], right: string[], at: number): boolean {
  const start = leadingDigit(left, right, at)
  const a = readNumber(left, at, start)
  const b = readNumber(right, at, start)
  if (a.value !== b.value) return a.value < b.value
  if (a.end !== b.end) return a.end < b.end
  return codeOf(left[at] ?? '') < codeOf(right[at] ?? '')
}

/** Where one side goes on with a zero, the digits before it decide whether the zero counts. */
function leadingDigit(left: string[], right: string[], at: number): number {
  if (left[at] !== '0' && right[at] !== '0') return 0
  for (let before = at - 1; before >= 0 && isDigit(left[before] ?? ''); before -= 1) {
    if (left[before] !== '0') return 1
  }
  return 0
}

function readNumber(text: string[], from: number, start: number): { value: number; end: number } {
  let value = start
  let end = from
  for (; end < text.length && isDigit(text[end] ?? ''); end += 1) value = value * 10 + Number(text[end])
  return { value, end }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character)
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0
}
