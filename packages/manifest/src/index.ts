export * from './inventory-id.ts'
export * from './object.ts'
