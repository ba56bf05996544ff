/** Adler-32 of the sorted tags as a decimal number, as Flux's database has it: the same tags, the same number. */
export function checksumOf(sorted: readonly string[]): string {
  let low = 1
  let high = 0
  for (const tag of sorted)
    for (const byte of Buffer.from(tag, 'utf8')) {
      low = (low + byte) % 65_521
      high = (high + low) % 65_521
    }
  return String(high * 65_536 + low)
}
