export * from './conditions.ts'
export * from './kstatus.ts'
