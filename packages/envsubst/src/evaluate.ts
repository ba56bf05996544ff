import { applyOperator, isDefaultOperator } from './operators.ts'
import type { Expansion, Part } from './parse.ts'
import { SubstitutionFailure } from './problem.ts'

interface Context {
  strict: boolean
  maxLength: number
}

/** @throws SubstitutionFailure when a variable is not set (strict), or the text grows beyond the bound. */
export function evaluate(parts: Part[], variables: ReadonlyMap<string, string>, context: Context): string {
  const texts: string[] = []
  let length = 0
  for (const part of parts) {
    const text = typeof part === 'string' ? part : expand(part, variables, context)
    length += text.length
    if (length > context.maxLength) throw tooLarge(part, context)
    texts.push(text)
  }
  return texts.join('')
}

function expand(expansion: Expansion, variables: ReadonlyMap<string, string>, context: Context): string {
  const { name, operator, at } = expansion
  const values = expansion.arguments.map((argument) => evaluate([argument], variables, context))
  const value = variables.get(name)
  if (value === undefined && context.strict && !isDefaultOperator(operator))
    throw new SubstitutionFailure('NotSet', `variable "${name}" is not set and has no default`, at, name)
  const text = applyOperator(operator, value ?? '', values, context.maxLength)
  if (text === undefined) throw tooLarge(expansion, context)
  if (!text.isWellFormed())
    throw new SubstitutionFailure('BadSubstitution', 'the cut divides a character', at, name)
  return text
}

function tooLarge(part: Part, context: Context): SubstitutionFailure {
  const message = `the text becomes longer than ${context.maxLength} characters`
  return typeof part === 'string'
    ? new SubstitutionFailure('TooLarge', message, 0)
    : new SubstitutionFailure('TooLarge', message, part.at, part.name)
}
