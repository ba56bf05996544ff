import { evaluate } from './evaluate.ts'
import { isVariableName, VARIABLE_NAME_PATTERN } from './names.ts'
import { parseTemplate } from './parse.ts'
import { SubstitutionFailure, type SubstitutionProblem } from './problem.ts'

export interface SubstituteOptions {
  /** A variable without a value and without a default is a problem. Default true, as in Flux since 1.9. */
  strict?: boolean
  /** Bound on the text that comes out, in UTF-16 units. Default 10 Mi. */
  maxLength?: number
}

/** Exactly one of the two. */
export type Substitution =
  | { text: string; problem?: undefined }
  | { text?: undefined; problem: SubstitutionProblem }

const DEFAULT_MAX_LENGTH = 10 * 1024 * 1024

/**
 * Replaces `${variables}` in a text, in the dialect of Flux's post-build substitution (a part of Bash's parameter
 * expansion). Values are put in as they are; nothing in them is expanded again.
 */
export function substitute(
  text: string,
  variables: ReadonlyMap<string, string>,
  options: SubstituteOptions = {},
): Substitution {
  const badName = invalidName(variables)
  if (badName !== undefined) return { problem: badName }
  if (!text.includes('${') && !text.includes('$$')) return { text }
  try {
    return {
      text: evaluate(parseTemplate(text), variables, {
        strict: options.strict ?? true,
        maxLength: options.maxLength ?? DEFAULT_MAX_LENGTH,
      }),
    }
  } catch (error) {
    if (!(error instanceof SubstitutionFailure)) throw error
    return { problem: toProblem(text, error) }
  }
}

function invalidName(variables: ReadonlyMap<string, string>): SubstitutionProblem | undefined {
  for (const name of variables.keys()) {
    if (isVariableName(name)) continue
    const message = `'${name}' var name is invalid, must match '${VARIABLE_NAME_PATTERN}'`
    return { code: 'InvalidName', message, variable: name, line: 0, column: 0 }
  }
  return undefined
}

function toProblem(text: string, failure: SubstitutionFailure): SubstitutionProblem {
  const before = text.slice(0, failure.at)
  return {
    code: failure.code,
    message: failure.message,
    ...(failure.variable === undefined ? {} : { variable: failure.variable }),
    line: before.split('\n').length,
    column: failure.at - before.lastIndexOf('\n'),
  }
}
