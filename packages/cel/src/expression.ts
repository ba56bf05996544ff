import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js'
import { type Cost, costOf, requireAffordable } from './cost.ts'
import { environment } from './environment.ts'
import { CelError, celError, quote } from './errors.ts'
import { useRe2 } from './regular-expressions.ts'
import { toCel } from './value.ts'

/** Longer than anybody writes by hand. Bytes of UTF-16, near enough. */
const MAX_LENGTH = 16 * 1024

/** An expression that was read, and can be evaluated many times. */
export interface Expression {
  readonly text: string
  /**
   * What the expression says of the variables, which are JSON values by name.
   * @throws CelError when it has no result, such as for a field that is not there, or when the result is no boolean.
   */
  evaluateBoolean(variables: Readonly<Record<string, unknown>>): boolean
}

const free = environment({ unlistedVariablesAreDyn: true })

/**
 * Reads an expression whose variables are not known beforehand: the top-level fields of some object.
 * @throws CelError naming the expression and the column when it is no CEL.
 */
export function parseExpression(text: string): Expression {
  return expressionOf(text, parse(free, text))
}

/**
 * Reads an expression that says yes or no about objects with these names, and checks that it fits.
 * @throws CelError naming the expression and the column: a syntax error, an unknown name, another type than boolean.
 */
export function compileExpression(text: string, variables: readonly string[]): Expression {
  const parsed = parse(declaring(variables), text)
  const { valid, type, error } = parsed.check()
  if (!valid) throw celError(text, error)
  if (type !== 'bool' && type !== 'dyn')
    throw new CelError(`expression ${quote(text)}: must say true or false, but is of type ${type}`)
  return expressionOf(text, parsed)
}

const declared = new Map<string, Environment>()

/** Making an environment takes longer than reading an expression, so there is one for each list of names. */
function declaring(variables: readonly string[]): Environment {
  const key = variables.join()
  const found = declared.get(key)
  if (found !== undefined) return found
  const made = environment({ unlistedVariablesAreDyn: false })
  for (const name of variables) made.registerVariable(name, 'map<string, dyn>')
  declared.set(key, made)
  return made
}

function parse(environment: Environment, text: string): ParseResult {
  if (text.length > MAX_LENGTH)
    throw new CelError(`expression ${quote(text)}: longer than ${MAX_LENGTH} characters`)
  try {
    const parsed = environment.parse(text)
    useRe2(parsed.ast)
    return parsed
  } catch (error) {
    throw celError(text, error)
  }
}

function expressionOf(text: string, parsed: ParseResult): Expression {
  const cost: Cost = costOf(parsed.ast as ASTNode)
  return {
    text,
    evaluateBoolean: (variables) => {
      const { values, largest } = toCel(variables)
      requireAffordable(text, cost, largest)
      const result = evaluate(text, parsed, values)
      if (typeof result !== 'boolean')
        throw new CelError(`expression ${quote(text)}: must say true or false, but gives another value`)
      return result
    },
  }
}

function evaluate(text: string, parsed: ParseResult, values: Record<string, unknown>): unknown {
  try {
    return parsed(values) as unknown
  } catch (error) {
    throw celError(text, error)
  }
}
