/** A matcher of one character, or `'*'` for any number of them. */
type Step = '*' | ((character: string) => boolean)
type Extent = 'shortest' | 'longest'

/** More steps times characters than this is not worked through: the value is too large for the pattern. */
const MAX_WORK = 50_000_000

/**
 * Cuts off the shortest or longest start, of at least one character, that the glob matches. A pattern that is
 * malformed cuts nothing. Undefined when the work would pass a bound.
 */
export function trimPrefix(value: string, pattern: string, extent: Extent): string | undefined {
  const steps = parseGlob(Array.from(pattern))
  if (steps === undefined) return value
  const characters = Array.from(value)
  if (steps.length * characters.length > MAX_WORK) return undefined
  return characters.slice(matchedPrefix(characters, steps, extent)).join('')
}

/** The same at the end. As in Flux the pattern is read backwards as text, so that classes and escapes rarely match. */
export function trimSuffix(value: string, pattern: string, extent: Extent): string | undefined {
  const rest = trimPrefix(reverse(value), reverse(pattern), extent)
  return rest === undefined ? undefined : reverse(rest)
}

function reverse(text: string): string {
  return Array.from(text).reverse().join('')
}

/** Walks all ways through the glob at once: characters × steps, whatever the pattern. */
function matchedPrefix(characters: string[], steps: Step[], extent: Extent): number {
  let reached = new Set<number>()
  enter(reached, steps, 0)
  let matched = 0
  for (const [index, character] of characters.entries()) {
    const next = new Set<number>()
    for (const at of reached) {
      const step = steps[at]
      if (step === '*') enter(next, steps, at)
      else if (step?.(character)) enter(next, steps, at + 1)
    }
    reached = next
    if (reached.has(steps.length)) {
      matched = index + 1
      if (extent === 'shortest') return matched
    }
    if (reached.size === 0) return matched
  }
  return matched
}

/** A `*` may stand for nothing, so that the step after it is reached with it. */
function enter(reached: Set<number>, steps: Step[], at: number): void {
  reached.add(at)
  if (steps[at] === '*') enter(reached, steps, at + 1)
}

/** Undefined when the pattern is malformed. Runs of `*` count as one. */
function parseGlob(pattern: string[]): Step[] | undefined {
  const steps: Step[] = []
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? ''
    if (character === '*') {
      if (steps.at(-1) !== '*') steps.push('*')
    } else if (character === '?') {
      steps.push(() => true)
    } else if (character === '[') {
      const found = parseClass(pattern, at + 1)
      if (found === undefined) return undefined
      steps.push(found.step)
      at = found.end
    } else {
      const literal = character === '\\' ? pattern[++at] : character
      if (literal === undefined) return undefined
      steps.push((candidate) => candidate === literal)
    }
  }
  return steps
}

interface Range {
  low: string
  high: string
}

/** After `[`. end is the place of the `]`. */
function parseClass(pattern: string[], from: number): { step: Step; end: number } | undefined {
  const negated = pattern[from] === '^'
  const ranges: Range[] = []
  let at = negated ? from + 1 : from
  while (ranges.length === 0 || pattern[at] !== ']') {
    const low = classCharacter(pattern, at)
    if (low === undefined) return undefined
    at = low.next
    const high = pattern[at] === '-' ? classCharacter(pattern, at + 1) : low
    if (high === undefined) return undefined
    at = high.next
    ranges.push({ low: low.character, high: high.character })
  }
  return { step: (candidate) => ranges.some((range) => contains(range, candidate)) !== negated, end: at }
}

function contains({ low, high }: Range, candidate: string): boolean {
  const code = candidate.codePointAt(0) ?? 0
  return (low.codePointAt(0) ?? 0) <= code && code <= (high.codePointAt(0) ?? 0)
}

function classCharacter(pattern: string[], at: number): { character: string; next: number } | undefined {
  const first = pattern[at]
  if (first === undefined || first === '-' || first === ']') return undefined
  const place = first === '\\' ? at + 1 : at
  const character = pattern[place]
  if (character === undefined || place + 1 >= pattern.length) return undefined
  return { character, next: place + 1 }
}
