/** What a variable may be called, as Flux prints it in its error. */
export const VARIABLE_NAME_PATTERN = '^[_[:alpha:]][_[:alpha:][:digit:]]*$'

/** True for the names that Flux takes from substitute and substituteFrom. */
export function isVariableName(name: string): boolean {
  return /^[_A-Za-z][_A-Za-z0-9]*$/.test(name)
}
