/** What a configuration value must look like. A struct's fields are matched without regard to case, as Go does. */
export type Shape =
  | 'string'
  | 'bool'
  | 'int'
  | 'any'
  | { list: Shape }
  | { map: Shape }
  | { fields: Record<string, Shape> }

export function list(shape: Shape): Shape {
  return { list: shape }
}

export function struct(fields: Record<string, Shape>): { fields: Record<string, Shape> } {
  return { fields }
}

export const strings: Shape = { list: 'string' }
export const stringMap: Shape = { map: 'string' }
