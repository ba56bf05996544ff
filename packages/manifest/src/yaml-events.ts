import { type Event, parseEvents, YAMLException } from 'js-yaml'

/** What stands in a text, and the text to which the positions of the events belong. */
export interface YamlEvents {
  source: string
  events: Event[]
}

/** A repair reads the text from its start again: so many of them, and fewer for a long text. */
const maxRepairs = 1000
const maxCharactersReadAgain = 20_000_000

/**
 * The events of a text, read as leniently as Go's parser does it: what stands in brackets or in quotes may be
 * indented less than the block around it, and what follows a bracketed document is not looked at.
 * @throws YAMLException with a mark
 */
export function readEvents(source: string, maxDepth: number): YamlEvents {
  let text = source
  const allowed = Math.min(maxRepairs, maxCharactersReadAgain / source.length)
  for (let repairs = 0; ; repairs += 1) {
    try {
      return { source: text, events: parseEvents(text, { maxDepth }) }
    } catch (error) {
      const repaired = repairs < allowed ? repair(text, error) : undefined
      if (repaired === undefined) throw error
      text = repaired
    }
  }
}

/** Blanks between brackets, and at the start of a quoted line, mean nothing: indenting the line changes no value. */
const indentation = ' '.repeat(250)

function repair(text: string, error: unknown): string | undefined {
  if (!(error instanceof YAMLException) || error.mark === undefined) return undefined
  const { position } = error.mark
  if (error.reason === 'deficient indentation') {
    const start = text.lastIndexOf('\n', position - 1) + 1
    if (text.startsWith(indentation, start)) return undefined
    return text.slice(0, start) + indentation + text.slice(start)
  }
  const isTrailing = error.reason.startsWith('end of the stream or a document separator')
  return isTrailing && position > 0 && isBracketed(text) ? text.slice(0, position) : undefined
}

function isBracketed(text: string): boolean {
  return /^(\s|#.*\n|---.*\n)*[[{]/.test(text)
}
