import type { Problem, ProblemCode } from './types.ts'

export interface ProblemPlace {
  file?: string | undefined
  line?: number | undefined
  field?: string | undefined
}

/** Stops a build. `build` turns it into a Problem; it never leaves this package. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
  readonly code: ProblemCode
  readonly place: ProblemPlace

  constructor(code: ProblemCode, message: string, place: ProblemPlace = {}) {
    super(message)
    this.code = code
    this.place = place
  }

  /** The same error with what it did not say about its place. The innermost place wins. */
  at(place: ProblemPlace): BuildError {
    const { file, line, field } = this.place
    if (file !== undefined)
      return new BuildError(this.code, this.message, { ...place, ...defined(this.place), file })
    const merged: ProblemPlace = { file: place.file, line: line ?? place.line, field: field ?? place.field }
    return new BuildError(this.code, this.message, merged)
  }
}

/** Runs a step; an error of it that names no file gets this place. */
export function within<Result>(place: ProblemPlace, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    if (error instanceof BuildError && error.place.file === undefined) throw error.at(place)
    throw error
  }
}

export function problemOf(error: BuildError): Problem {
  return { code: error.code, message: error.message, ...defined(error.place) }
}

/** One line for people: where, what. */
export function describeProblem({ file, line, field, message }: Problem): string {
  const where = file === undefined || file === '' ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
  return `${where}${field === undefined ? '' : `${field}: `}${message}`
}

function defined(place: ProblemPlace): { file?: string; line?: number; field?: string } {
  const known: { file?: string; line?: number; field?: string } = {}
  if (place.file !== undefined) known.file = place.file
  if (place.line !== undefined) known.line = place.line
  if (place.field !== undefined) known.field = place.field
  return known
}
