/** The field of logs and traces that names an object: `gitRepository`, `ociRepository`, `bucket`. */
export function logKey({ kind }: { kind: string }): string {
  return kind.replace(/^[A-Z](?:[A-Z]+(?=[A-Z]))?/, (start) => start.toLowerCase())
}
