type Nested = { [key: string]: Nested } | Nested[] | string

/** Metadata in a flat file: `age__list_0__map_recipient` is `age[0].recipient`. */
export function unflatten(entries: Iterable<readonly [string, string]>): Nested {
  const root: { [key: string]: Nested } = {}
  for (const [key, value] of entries) place(root, steps(key), value)
  return root
}

function steps(key: string): (string | number)[] {
  const [first = '', ...rest] = key.split(/(__map_|__list_)/)
  const path: (string | number)[] = [first]
  for (let at = 0; at + 1 < rest.length; at += 2)
    path.push(rest[at] === '__list_' ? Number(rest[at + 1]) : (rest[at + 1] ?? ''))
  return path
}

function place(root: { [key: string]: Nested }, path: (string | number)[], value: string): void {
  let at: Nested = root
  for (const [index, step] of path.entries()) {
    if (typeof at !== 'object' || !isSafe(step)) return
    const map = at as Record<string | number, Nested>
    if (index === path.length - 1) map[step] = value
    else at = map[step] ??= typeof path[index + 1] === 'number' ? [] : {}
  }
}

const MAX_LIST = 1000
const isSafe = (step: string | number): boolean =>
  typeof step === 'number' ? step >= 0 && step < MAX_LIST : step !== '__proto__'
