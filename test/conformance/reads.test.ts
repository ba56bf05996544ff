import { isDeepStrictEqual } from 'node:util'
import { build, memoryFiles } from '@setpoint/kustomize'
import { expect, test } from 'vitest'
import { type GeneratedOverlay, generateOverlay } from './generator/overlay.ts'

const count = 100

test(`in ${count} overlays made at random, a file that is not among the reads changes nothing`, () => {
  const first = Math.floor(Date.now() / 86_400_000) * 1000
  const wrong = Array.from({ length: count }, (_, at) => first + at).filter((seed) => !isIndependent(seed))
  expect(wrong).toEqual([])
})

/** Builds again with every file damaged that was not read, and with new files beside them. */
function isIndependent(seed: number): boolean {
  const { files, root } = generateOverlay(seed)
  const before = build(memoryFiles(files), root)
  const after = build(memoryFiles(changeUnread({ files, root }, new Set(before.reads))), root)
  return isDeepStrictEqual(after, before)
}

function changeUnread({ files }: GeneratedOverlay, reads: Set<string>): Record<string, string> {
  const changed: Record<string, string> = { 'unrelated/kustomization.yaml': 'resources: [none.yaml]\n' }
  for (const [path, text] of Object.entries(files)) {
    changed[path] = reads.has(path) ? text : '{ damaged'
    const beside = `${path}.orig`
    if (!reads.has(beside)) changed[beside] = '{ new'
  }
  return changed
}
