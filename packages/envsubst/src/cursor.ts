/** Which escapes are read: none, `$$`, or also `\/` and `\\`. */
export type Escapes = '' | '$' | '$\\'

/** A place in a text that only moves forward. */
export class Cursor {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  atEnd(): boolean {
    return this.at >= this.text.length
  }

  /** The character at an offset from here; '' beyond the end. */
  peek(offset = 0): string {
    return this.text.charAt(this.at + offset)
  }

  /** Steps over the word when it stands here. */
  takes(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  /** Reads up to a `${` (when it can be one here), to what is not accepted, or to the end; escapes are undone. */
  readText(
    accept: (character: string) => boolean,
    escapes: Escapes = '',
    max = Number.POSITIVE_INFINITY,
  ): string {
    let text = ''
    let from = this.at
    while (!this.atEnd() && this.at - from < max && !this.text.startsWith('${', this.at)) {
      const character = this.character()
      if (this.escapesNext(character, escapes)) {
        text += this.text.slice(from, this.at)
        from = this.at + 1
        this.at += 2
        continue
      }
      if (!accept(character)) break
      this.at += character.length
    }
    return text + this.text.slice(from, this.at)
  }

  /** The code point here. */
  private character(): string {
    return String.fromCodePoint(this.text.codePointAt(this.at) ?? 0)
  }

  private escapesNext(character: string, escapes: Escapes): boolean {
    if (!escapes.includes(character) || (character !== '$' && character !== '\\')) return false
    const next = this.peek(1)
    return character === '$' ? next === '$' : next === '/' || next === '\\'
  }
}
