export * from './inventory-id.ts'
export * from './json.ts'
export * from './object.ts'
export * from './yaml.ts'
