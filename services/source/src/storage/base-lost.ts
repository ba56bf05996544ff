/** What was stored went away under us; the next run makes everything anew. */
export class BaseLost extends Error {
  override name = 'BaseLost'
}
