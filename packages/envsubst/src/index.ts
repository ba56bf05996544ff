export { isVariableName, VARIABLE_NAME_PATTERN } from './names.ts'
export type { SubstitutionProblem, SubstitutionProblemCode } from './problem.ts'
export { type SubstituteOptions, type Substitution, substitute } from './substitute.ts'
