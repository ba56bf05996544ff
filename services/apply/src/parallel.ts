/**
 * Does the work on all items, at most `limit` at once, and gives the results in the order of the items. After a failure no
 * further item is begun, and the first error is thrown once nothing is under way any more.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length)
  const errors: unknown[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length && errors.length === 0; index = next++) {
      try {
        results[index] = await work(items[index] as T)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (errors.length > 0) throw errors[0]
  return results
}
