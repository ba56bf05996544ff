/**
 * Compares the engine with kubectl kustomize on many overlays made at random.
 *
 *   node test/conformance/fuzz-kustomize.ts [FIRST_SEED] [COUNT]
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { binary } from '@setpoint/testkit'
import { type Comparison, compareSeeds } from './differential.ts'

const [first = Date.now() % 1_000_000_000, count = 1000] = process.argv.slice(2).map(Number)
const counts = { same: 0, 'both fail': 0, different: 0 }

function report(comparison: Comparison): void {
  counts[comparison.outcome] += 1
  if (comparison.outcome !== 'different') return
  const { seed, ours, theirs } = comparison
  writeFileSync(join(tmpdir(), `overlay-${seed}-ours.yaml`), ours)
  writeFileSync(join(tmpdir(), `overlay-${seed}-theirs.yaml`), theirs)
  process.stdout.write(`seed ${seed} differs: see ${join(tmpdir(), `overlay-${seed}-*.yaml`)}\n`)
}

process.stdout.write(`seeds ${first} to ${first + count - 1}\n`)
await compareSeeds({ first, count, kubectl: await binary('kubectl') }, report)
process.stdout.write(`${JSON.stringify(counts)}\n`)
process.exitCode = counts.different > 0 ? 1 : 0
