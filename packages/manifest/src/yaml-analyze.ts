/** Which styles a string may be printed in, by the rules of libyaml's emitter. */
export interface ScalarFacts {
  plainAllowed: boolean
  singleQuotedAllowed: boolean
  blockAllowed: boolean
}

interface Marks {
  indicator: boolean
  lineBreak: boolean
  special: boolean
  leading: boolean
  trailing: boolean
  trailingSpace: boolean
  breakThenSpace: boolean
  spaceThenBreak: boolean
}

export function analyzeScalar(text: string): ScalarFacts {
  if (text === '') return { plainAllowed: false, singleQuotedAllowed: false, blockAllowed: false }
  if (/^[A-Za-z0-9_/.+-]*$/.test(text) && /^[A-Za-z0-9_/]/.test(text)) return simpleFacts
  const marks = /^[ -~]*$/.test(text) ? markLine(text) : markText(text)
  const noFold = marks.spaceThenBreak || marks.special
  return {
    plainAllowed: !(
      marks.leading ||
      marks.trailing ||
      marks.breakThenSpace ||
      noFold ||
      marks.lineBreak ||
      marks.indicator
    ),
    singleQuotedAllowed: !marks.breakThenSpace && !noFold,
    blockAllowed: !marks.trailingSpace && !noFold,
  }
}

const simpleFacts: ScalarFacts = { plainAllowed: true, singleQuotedAllowed: true, blockAllowed: true }

/** The marks of one line of ASCII, which most texts are. */
function markLine(text: string): Marks {
  const [leading, trailing] = [text.startsWith(' '), text.endsWith(' ')]
  const indicator = startsLikeSyntax.test(text) || holdsSyntax.test(text)
  return { ...emptyMarks(), indicator, leading, trailing, trailingSpace: trailing }
}

const startsLikeSyntax = /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?: |$)|---|\.\.\.)/
const holdsSyntax = /.:(?: |$)| #/

function markText(text: string): Marks {
  const characters = Array.from(text)
  const last = characters.length - 1
  const blank = (at: number) =>
    at < 0 || at > last || ' \t'.includes(characters[at] ?? '') || isBreak(characters[at] ?? '')
  const marks = emptyMarks()
  if (text.startsWith('---') || text.startsWith('...')) marks.indicator = true
  for (const [at, character] of characters.entries()) {
    const space = character === ' '
    const lineBreak = isBreak(character)
    if (isIndicator(character, at, blank)) marks.indicator = true
    if (!isPrintable(character)) marks.special = true
    if (space || lineBreak) {
      if (at === 0) marks.leading = true
      if (at === last) marks.trailing = true
    }
    if (space && at === last) marks.trailingSpace = true
    if (lineBreak) marks.lineBreak = true
    if (space && isBreak(characters[at - 1] ?? '')) marks.breakThenSpace = true
    if (lineBreak && characters[at - 1] === ' ') marks.spaceThenBreak = true
  }
  return marks
}

function emptyMarks(): Marks {
  return {
    indicator: false,
    lineBreak: false,
    special: false,
    leading: false,
    trailing: false,
    trailingSpace: false,
    breakThenSpace: false,
    spaceThenBreak: false,
  }
}

function isIndicator(character: string, at: number, blank: (at: number) => boolean): boolean {
  if (at === 0) {
    if ('#,[]{}&*!|>\'"%@`'.includes(character)) return true
    return '?:-'.includes(character) && blank(1)
  }
  if (character === ':') return blank(at + 1)
  return character === '#' && blank(at - 1)
}

function isBreak(character: string): boolean {
  return character !== '' && '\r\n\x85\u2028\u2029'.includes(character)
}

function isPrintable(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e) || code === 0x85) return true
  return (
    code >= 0xa0 && code <= 0xffff && code !== 0xfeff && code < 0xfffe && !(code >= 0xd800 && code < 0xe000)
  )
}
