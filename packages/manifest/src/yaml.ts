export type { DuplicateKeys } from './yaml-compose.ts'
export {
  parseYaml,
  parseYamlSource,
  type YamlDocument,
  type YamlOptions,
  type YamlProblem,
  type YamlResult,
} from './yaml-parse.ts'
export { plainInPlace, plainValue } from './yaml-plain.ts'
export { printYaml, printYamlStream } from './yaml-print.ts'
export { scalarLines } from './yaml-print-scalar.ts'
export {
  isNonString11,
  jsonComments,
  resolvePlain,
  type ScalarValue,
  SourceScalar,
  setJsonComments,
  type YamlDialect,
  type YamlMap,
  type YamlValue,
} from './yaml-scalar.ts'
