/**
 * A small builder of structural schemas (the part of OpenAPI v3 that a CustomResourceDefinition may use).
 * Each schema carries its TypeScript type, so that the CRD and the types that the code uses cannot drift apart.
 */

/** A CEL rule that the API server checks on every write. */
export interface ValidationRule {
  rule: string
  message: string
}

/** A structural schema as it stands in a CRD. */
export interface JsonSchema {
  description?: string
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  format?: 'date-time' | 'int64'
  pattern?: string
  enum?: readonly string[]
  minLength?: number
  maxLength?: number
  maxItems?: number
  minimum?: number
  default?: unknown
  items?: JsonSchema
  additionalProperties?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  'x-kubernetes-validations'?: ValidationRule[]
}

/** A schema whose values have the type T. `value` exists for the type checker only. */
export interface Schema<T> {
  readonly json: JsonSchema
  readonly optional?: false
  readonly value?: T
}

/** A field that may be absent. */
export interface OptionalSchema<T> {
  readonly json: JsonSchema
  readonly optional: true
  readonly value?: T
}

type Field = Schema<unknown> | OptionalSchema<unknown>
export type Fieldset = Record<string, Field>

/** The TypeScript type of a schema's values. */
export type Infer<S> = S extends Schema<infer T> | OptionalSchema<infer T> ? T : never

type Flatten<T> = { [K in keyof T]: T[K] }
export type ObjectOf<S extends Fieldset> = Flatten<
  { [K in keyof S as S[K] extends OptionalSchema<unknown> ? never : K]: Infer<S[K]> } & {
    [K in keyof S as S[K] extends OptionalSchema<unknown> ? K : never]?: Infer<S[K]>
  }
>

type StringRules = Pick<JsonSchema, 'pattern' | 'minLength' | 'maxLength' | 'default' | 'format'>

/** Fields are required unless wrapped in `optional`. */
export function object<const S extends Fieldset>(
  description: string,
  fieldset: S,
  rules: ValidationRule[] = [],
): Schema<ObjectOf<S>> {
  const names = Object.keys(fieldset).sort()
  const required = names.filter((name) => fieldset[name]?.optional !== true)
  const properties = Object.fromEntries(names.map((name) => [name, fieldset[name]?.json]))
  return {
    json: {
      description,
      type: 'object',
      ...(required.length === 0 ? {} : { required }),
      properties: properties as Record<string, JsonSchema>,
      ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
    },
  }
}

/** A field that may be absent; a `default` makes the API server fill it in. */
export function optional<T>(schema: Schema<T>, fallback?: NoInfer<T>): OptionalSchema<T> {
  const json = fallback === undefined ? schema.json : { ...schema.json, default: fallback }
  return { json, optional: true }
}

export function string(description: string, rules: StringRules = {}): Schema<string> {
  return { json: { description, type: 'string', ...rules } }
}

export function oneOf<const T extends string>(
  description: string,
  allowed: readonly T[],
  rules: { default?: NoInfer<T> } = {},
): Schema<T> {
  return { json: { description, type: 'string', enum: allowed, ...rules } }
}

export function boolean(description: string, rules: { default?: boolean } = {}): Schema<boolean> {
  return { json: { description, type: 'boolean', ...rules } }
}

export function integer(description: string, rules: { minimum?: number } = {}): Schema<number> {
  return { json: { description, type: 'integer', format: 'int64', ...rules } }
}

/** RFC 3339, UTC, whole seconds. */
export function time(description: string): Schema<string> {
  return { json: { description, type: 'string', format: 'date-time' } }
}

export function list<T>(
  description: string,
  items: Schema<T>,
  rules: { maxItems?: number; default?: NoInfer<T>[] } = {},
): Schema<T[]> {
  return { json: { description, type: 'array', items: items.json, ...rules } }
}

/** An object with any names, whose values are all alike. */
export function map<T>(description: string, values: Schema<T>): Schema<Record<string, T>> {
  return { json: { description, type: 'object', additionalProperties: values.json } }
}

export function stringMap(description: string): Schema<Record<string, string>> {
  return { json: { description, type: 'object', additionalProperties: { type: 'string' } } }
}
