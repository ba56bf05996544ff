import { build, describeProblem, memoryFiles, printResources } from '@setpoint/kustomize'
import { type GeneratedOverlay, generateOverlay } from './generator/overlay.ts'
import type { RenderAll, Rendered } from './real-kustomize.ts'

/** What the two engines made of one generated overlay. */
export type Comparison =
  | { seed: number; outcome: 'same' | 'both fail' }
  | { seed: number; outcome: 'different'; ours: string; theirs: string }

const overlaysAtOnce = 250

/** Renders the overlays of `count` seeds from `first` on with our engine and the real one, and compares the texts. */
export async function compareSeeds(
  { first, count }: { first: number; count: number },
  renderAll: RenderAll,
  report: (comparison: Comparison) => void,
): Promise<void> {
  for (let seed = first; seed < first + count; seed += overlaysAtOnce) {
    const length = Math.min(overlaysAtOnce, first + count - seed)
    const overlays = Array.from({ length }, (_, at) => generateOverlay(seed + at))
    const theirs = renderAll(overlays)
    const ours = overlays.map(render)
    for (const [at, answer] of (await theirs).entries()) report(compare(seed + at, ours[at], answer))
  }
}

/** Our answer, in the form of theirs. */
export function render({ files, root }: GeneratedOverlay): Rendered {
  const { resources, problems } = build(memoryFiles(files), root)
  if (problems.length > 0) return { failed: true, text: problems.map(describeProblem).join('\n') }
  return { failed: false, text: printResources(resources) }
}

function compare(seed: number, ours: Rendered | undefined, theirs: Rendered): Comparison {
  if (ours?.failed === true && theirs.failed) return { seed, outcome: 'both fail' }
  if (ours?.failed === theirs.failed && ours.text === theirs.text) return { seed, outcome: 'same' }
  return { seed, outcome: 'different', ours: ours?.text ?? '', theirs: theirs.text }
}
