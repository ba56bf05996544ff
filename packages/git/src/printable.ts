const MAX_LENGTH = 300

/** Text of a stranger, fit for a log line. */
export function printable(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, MAX_LENGTH)
}
