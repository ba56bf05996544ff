/** Spreads a period by ±5 % (or another share), so that a fleet does not wake at once. Milliseconds. */
export function jitter(ms: number, random: () => number = Math.random, share = 0.05): number {
  return ms * (1 - share + 2 * share * random())
}
