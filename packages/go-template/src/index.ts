export { TemplateError } from './errors.ts'
export { compileTemplate, type Template } from './template.ts'
export type { Value } from './value.ts'
