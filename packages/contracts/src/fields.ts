/** Reads the fields of a JSON object one by one and says which one is wrong. */
export class FieldError extends Error {
  override name = 'FieldError'
}

export interface Fields {
  string(name: string): string
  optionalString(name: string): string | undefined
  number(name: string): number
  optionalNumber(name: string): number | undefined
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T
  object(name: string): Fields
  optionalObject(name: string): Fields | undefined
  boolean(name: string): boolean
  /** An object whose values are strings; other values are refused. */
  stringMap(name: string): Record<string, string>
  numberMap(name: string): Record<string, number>
  list<T>(name: string, read: (item: Fields) => T): T[]
  strings(name: string): string[]
}

/**
 * A reader over one parsed JSON object. Unknown fields are ignored, so that a newer minor version can add some.
 * @throws FieldError naming the field by its path, such as `data.tree.digest`.
 */
export function fields(value: unknown, path = ''): Fields {
  if (!isObject(value)) throw new FieldError(`${path || 'message'} must be an object`)
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  const wrong = (name: string, want: string) => new FieldError(`${at(name)} must be ${want}`)
  const absent = (name: string, want: string): never => {
    throw wrong(name, want)
  }

  const optionalString = (name: string) => {
    const found = value[name]
    if (found === undefined || found === null) return undefined
    if (typeof found !== 'string') throw wrong(name, 'a string')
    return found
  }
  const optionalNumber = (name: string) => {
    const found = value[name]
    if (found === undefined || found === null) return undefined
    if (typeof found !== 'number' || !Number.isFinite(found)) throw wrong(name, 'a number')
    return found
  }
  const list = <T>(name: string, read: (item: unknown, path: string) => T): T[] => {
    const found = value[name]
    if (!Array.isArray(found)) throw wrong(name, 'a list')
    return found.map((item, index) => read(item, `${at(name)}[${index}]`))
  }
  const map = <T>(name: string, holds: (item: unknown) => item is T, want: string): Record<string, T> => {
    const found = value[name]
    if (!isObject(found)) throw wrong(name, 'an object')
    const read: Record<string, T> = {}
    for (const [key, item] of Object.entries(found)) {
      if (!holds(item)) throw wrong(`${name}.${key}`, want)
      read[key] = item
    }
    return read
  }
  return {
    optionalString,
    optionalNumber,
    string: (name) => optionalString(name) ?? absent(name, 'a string'),
    number: (name) => optionalNumber(name) ?? absent(name, 'a number'),
    oneOf: (name, allowed) => {
      const found = allowed.find((candidate) => candidate === value[name])
      return found ?? absent(name, `one of ${allowed.join(', ')}`)
    },
    object: (name) => fields(value[name], at(name)),
    optionalObject: (name) =>
      value[name] === undefined || value[name] === null ? undefined : fields(value[name], at(name)),
    boolean: (name) => {
      const found = value[name]
      if (typeof found !== 'boolean') throw wrong(name, 'true or false')
      return found
    },
    stringMap: (name) => map(name, (item): item is string => typeof item === 'string', 'a string'),
    numberMap: (name) => map(name, (item): item is number => typeof item === 'number', 'a number'),
    list: (name, read) => list(name, (item, itemPath) => read(fields(item, itemPath))),
    strings: (name) =>
      list(name, (item, itemPath) => {
        if (typeof item !== 'string') throw new FieldError(`${itemPath} must be a string`)
        return item
      }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
