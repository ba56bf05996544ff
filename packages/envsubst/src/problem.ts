/** `NotSet`: strict mode and no value. `BadSubstitution`: not a form that is known. `TooLarge`: a bound was reached. */
export type SubstitutionProblemCode = 'NotSet' | 'BadSubstitution' | 'InvalidName' | 'TooLarge'

/** Why a text could not be substituted. Never holds a value of a variable. */
export interface SubstitutionProblem {
  code: SubstitutionProblemCode
  /** Without the position. */
  message: string
  /** The variable, where its name could be read. */
  variable?: string
  /** 1-based, of the `$` in the text. Line 0: the problem is a variable's name, not the text. */
  line: number
  column: number
}

/** Ends a substitution from deep inside; `substitute` turns it into a problem. */
export class SubstitutionFailure extends Error {
  readonly code: SubstitutionProblemCode
  /** Offset of the `$` in the text. */
  readonly at: number
  readonly variable: string | undefined

  constructor(code: SubstitutionProblemCode, message: string, at: number, variable?: string) {
    super(message)
    this.code = code
    this.at = at
    this.variable = variable
  }
}
