/** How long ago, as kubectl writes it: 45s, 12m, 3h, 5d. Empty for no time. */
export function age(since: string | undefined, nowMs: number): string {
  const thenMs = Date.parse(since ?? '')
  if (Number.isNaN(thenMs)) return ''
  const seconds = Math.max(0, Math.floor((nowMs - thenMs) / 1_000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 2 * 3_600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3_600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
