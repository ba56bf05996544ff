export { parseRange, type VersionRange } from './range.ts'
export { parseVersion, type Version } from './version.ts'
