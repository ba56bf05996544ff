export type * from './client-types.ts'
export * from './connect.ts'
export * from './errors.ts'
export * from './informer.ts'
