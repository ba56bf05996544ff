import type { BenchResult } from './bench.ts'
import type { Usage } from './environment.ts'
import { percentile } from './percentile.ts'
import { cpuSecondsOf, requestsOf, writesOf } from './usage.ts'

type Figure = (result: BenchResult) => number

const perCommit =
  (figure: Figure): Figure =>
  (result) =>
    figure(result) / result.commits.seconds.length
const perObject =
  (figure: Figure): Figure =>
  (result) =>
    figure(result) / (4 * result.apps)
/** NaN when it did not end in time. */
const ended = (usage: Usage | undefined, figure: (usage: Usage) => number): number =>
  usage === undefined ? Number.NaN : figure(usage)

const figures: Record<string, Figure> = {
  'cold sync, s': ({ cold }) => cold.seconds,
  'cold sync, times the API server alone': ({ cold }) => cold.seconds / cold.floorSeconds,
  'cold sync, CPU-s': ({ cold }) => cpuSecondsOf(cold.usage),
  'cold sync, API writes': ({ cold }) => writesOf(cold.usage),
  'cold sync, MiB peak': ({ cold }) => cold.usage.togetherMib,
  'one-app commit, hint to applied p50, s': ({ commits }) => percentile(commits.seconds, 0.5),
  'one-app commit, hint to applied p99, s': ({ commits }) => percentile(commits.seconds, 0.99),
  'CPU-s a commit, until the app is Ready': perCommit(({ commits }) => cpuSecondsOf(commits.hot)),
  'CPU-s a commit, until all follow the revision': perCommit(({ commits }) => cpuSecondsOf(commits.usage)),
  'API writes a commit, until the app is Ready': perCommit(({ commits }) => writesOf(commits.hot)),
  'API writes a commit, until all follow': perCommit(({ commits }) => writesOf(commits.usage)),
  'no-change check at the interval, API requests an object': perObject(({ interval }) =>
    ended(interval, requestsOf),
  ),
  'no-change check at the interval, CPU-s for all, idle minute included': ({ interval }) =>
    ended(interval, cpuSecondsOf),
  'no-change check asked for, API requests an object': perObject(({ check }) => ended(check, requestsOf)),
  'no-change check asked for, CPU-s for all': ({ check }) => ended(check, cpuSecondsOf),
  'drift, edit to healed p50, s': ({ drift }) =>
    drift.byItself ? percentile(drift.seconds, 0.5) : Number.NaN,
  'drift, edit and a request for a check to healed p50, s': ({ drift }) =>
    drift.byItself ? Number.NaN : percentile(drift.seconds, 0.5),
  'whole run, MiB peak': ({ memory }) => memory.togetherMib,
}

/** Prints the figures of Setpoint and of another system side by side, as a table in Markdown. */
export function printComparison(setpoint: BenchResult, other: BenchResult): void {
  console.log(`\n| N = ${setpoint.apps} | ${setpoint.title} | ${other.title} | ratio |`)
  console.log('| --- | ---: | ---: | ---: |')
  for (const [name, figure] of Object.entries(figures)) {
    const [ours, theirs] = [figure(setpoint), figure(other)]
    console.log(`| ${name} | ${shown(ours)} | ${shown(theirs)} | ${ratio(theirs, ours)} |`)
  }
  const samples = [setpoint, other].map(
    (r) =>
      `${r.title}: ${r.commits.seconds.length} commits, ${r.drift.seconds.length} edits, load ${r.load.toFixed(1)}`,
  )
  console.log(`\n${samples.join('; ')}`)
}

const shown = (value: number) => (Number.isNaN(value) ? '–' : String(Number(value.toPrecision(3))))

/** How many times ours theirs is. */
const ratio = (theirs: number, ours: number) => {
  const times = theirs / ours
  return Number.isFinite(times) ? `${Number(times.toPrecision(2))}×` : '–'
}
