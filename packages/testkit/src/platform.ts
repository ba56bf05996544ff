import type { Platform } from './tools.ts'

/** This machine in Go's words. */
export function platform(): Platform {
  const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64' }
  return { os: process.platform, arch: architectures[process.arch] ?? process.arch }
}
