const FIRST_MS = 200
const LONGEST_MS = 30_000
/** Who lived this long was well: the next failure starts from the beginning. */
const WELL_AFTER_MS = 60_000

/** How long to wait before the next start, after a life of `livedMs` that came after a wait of `previousMs`. */
export function nextDelayMs(previousMs: number, livedMs: number): number {
  if (previousMs === 0 || livedMs >= WELL_AFTER_MS) return FIRST_MS
  return Math.min(previousMs * 2, LONGEST_MS)
}
