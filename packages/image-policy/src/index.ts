export { compilePolicy, type ImagePolicyRules, type Policy } from './compile.ts'
export { PolicyError } from './errors.ts'
export { compilePatterns } from './filter.ts'
export type { Judgement, Rejection } from './judge.ts'
