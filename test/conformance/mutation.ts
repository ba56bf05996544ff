import { build, describeProblem, memoryFiles, printResources } from '@setpoint/kustomize'
import { generateOverlay } from './generator/overlay.ts'
import { mutateOverlay } from './mutate.ts'

/** Why a build of damaged input was not as it should be; undefined where it was. */
export interface Finding {
  seed: number
  what: string
}

const slowMs = 5000

/** Builds a damaged overlay. It must end, in time, with objects or with a problem that has a code of its own. */
export function checkMutation(seed: number, now: () => number): Finding | undefined {
  const { files, root } = mutateOverlay(generateOverlay(seed), seed)
  const start = now()
  try {
    const { resources, problems } = build(memoryFiles(files), root)
    const internal = problems.find(({ code, message }) => code === 'internal' || message === '')
    if (internal !== undefined) return { seed, what: describeProblem(internal) }
    if (problems.length === 0) printResources(resources)
  } catch (error) {
    return { seed, what: `threw ${String(error)}` }
  }
  const tookMs = now() - start
  return tookMs > slowMs ? { seed, what: `took ${Math.round(tookMs)} ms` } : undefined
}
