export {
  type BuildInputs,
  type BuildOutcome,
  type BuiltSet,
  buildObjects,
  buildSet,
  type ObjectsOutcome,
} from './build-set.ts'
export type { Decryption } from './decryption/decryption.ts'
export { DecryptionError, type KeyOptions, type RemoteKeys, readKeys } from './decryption/keys.ts'
export {
  type IgnoredFields,
  IgnoreRuleError,
  ignoredPaths,
  keepIgnored,
  readIgnoreRules,
} from './ignored-fields.ts'
export { type ReadData, readVariables, type Variables, VariablesError } from './variables.ts'
