export { type BuildOutcome, type BuiltSet, buildObjects, buildSet, type ObjectsOutcome } from './build-set.ts'
export { type ReadData, readVariables, type Variables, VariablesError } from './variables.ts'
