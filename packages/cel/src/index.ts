export { CelError } from './errors.ts'
export * from './expression.ts'
