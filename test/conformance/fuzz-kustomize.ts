/**
 * Compares the engine with the real kustomize on overlays made at random, then feeds it damaged ones.
 *
 *   npm run fuzz:kustomize -- [FIRST_SEED] [COUNT]
 *
 * COUNT overlays are compared (default 2000), and twenty times as many are damaged. The first seed is the clock where
 * none is given; with it, a run can be repeated.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Comparison, compareSeeds } from './differential.ts'
import { checkMutation } from './mutation.ts'
import { realKustomize } from './real-kustomize.ts'

const mutationsPerOverlay = 20
const [first = Date.now() % 1_000_000_000, count = 2000] = process.argv.slice(2).map(Number)
const counts = { same: 0, 'both fail': 0, different: 0, damaged: 0, 'badly ended': 0 }

function report(comparison: Comparison): void {
  counts[comparison.outcome] += 1
  if (comparison.outcome !== 'different') return
  const { seed, ours, theirs } = comparison
  writeFileSync(join(tmpdir(), `overlay-${seed}-ours.yaml`), ours)
  writeFileSync(join(tmpdir(), `overlay-${seed}-theirs.yaml`), theirs)
  process.stdout.write(`seed ${seed} differs: see ${join(tmpdir(), `overlay-${seed}-*.yaml`)}\n`)
}

function damage(): void {
  for (let seed = first; seed < first + count * mutationsPerOverlay; seed += 1) {
    counts.damaged += 1
    const finding = checkMutation(seed, () => performance.now())
    if (finding === undefined) continue
    counts['badly ended'] += 1
    process.stdout.write(`damaged seed ${seed}: ${finding.what}\n`)
  }
}

process.stdout.write(`seeds from ${first}: ${count} compared, ${count * mutationsPerOverlay} damaged\n`)
await compareSeeds({ first, count }, await realKustomize(), report)
damage()
process.stdout.write(`${JSON.stringify(counts)}\n`)
process.exitCode = counts.different + counts['badly ended'] > 0 ? 1 : 0
