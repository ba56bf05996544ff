/** Characters of a message: more is nobody's help. */
const MAX_MESSAGE = 4_000

/** Text in which strangers may have a word, fit for a status, an event and a log: no control characters, of one length. */
export function printable(text: string, maxLength: number = MAX_MESSAGE): string {
  return text.slice(0, maxLength).replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, ' ')
}
