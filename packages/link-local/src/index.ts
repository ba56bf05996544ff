export { guardedLookup, isLinkLocal, refusal } from './link-local.ts'
