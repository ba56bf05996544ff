import { Environment } from '@marcbachmann/cel-js'
import { registerEncoders } from './encoders.ts'
import { registerRegularExpressions } from './regular-expressions.ts'
import { registerSets } from './sets.ts'
import { registerStrings } from './strings.ts'

const limits = { maxAstNodes: 4_000, maxDepth: 100 }

/** The language as Flux configures it: standard macros and functions, optionals, strings, sets and encoders. */
export function environment(options: { unlistedVariablesAreDyn: boolean }): Environment {
  const made = new Environment({
    ...options,
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits,
  })
  registerStrings(made)
  registerSets(made)
  registerEncoders(made)
  registerRegularExpressions(made)
  // The library compares numbers of different types only where a type is not known; literals are to behave the same.
  made.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b)
  return made
}
