import { availableParallelism } from 'node:os'
import type { BenchResult } from './bench.ts'
import type { Usage } from './environment.ts'
import { percentile } from './percentile.ts'
import { cpuSecondsOf as cpu, requestsOf as requests, writesOf as writes } from './usage.ts'

/** Prints the figures of one run as plain text. */
export function printReport(result: BenchResult): void {
  console.log(`\n${result.title}, N = ${result.apps} Kustomizations of 4 objects, ${result.files} files`)
  console.log(
    `machine              ${availableParallelism()} cores, load ${result.load.toFixed(1)} when the run began`,
  )
  console.log(
    `cold sync            ${result.cold.seconds.toFixed(1)} s, ${(result.cold.seconds / result.cold.floorSeconds).toFixed(1)} times as long as the API server alone needs for the objects (${result.cold.floorSeconds.toFixed(1)} s); ${writes(result.cold.usage)} API writes`,
  )
  printUsage(result.cold.usage)
  const { commits } = result
  console.log(
    `one-app commit       hint to applied p50 ${ms(percentile(commits.seconds, 0.5))}, p99 ${ms(percentile(commits.seconds, 0.99))} (${commits.seconds.length} commits)`,
  )
  const per = (value: number) => value / commits.seconds.length
  console.log(
    `  until it is Ready  ${per(cpu(commits.hot)).toFixed(3)} CPU-s over all processes, ${per(writes(commits.hot)).toFixed(1)} API writes a commit`,
  )
  console.log(
    `  per commit         ${per(cpu(commits.usage)).toFixed(3)} CPU-s over all processes, ${per(writes(commits.usage)).toFixed(0)} API writes, ${(per(commits.usage.busBytes) / 1024).toFixed(1)} KiB on the bus, everything settled`,
  )
  printUsage(commits.usage)
  for (const [name, check] of [
    ['at the interval', result.interval],
    ['asked for', result.check],
  ] as const)
    console.log(
      check === undefined
        ? `no-change check      ${name}: did not end in time`
        : `no-change check      ${(requests(check) / (4 * result.apps)).toFixed(2)} API requests per object ${name}, ${writes(check)} API writes, ${cpu(check).toFixed(2)} CPU-s`,
    )
  console.log(
    `drift                ${result.drift.byItself ? 'edit to healed' : 'healed at the interval; when a check is asked for'} p50 ${ms(percentile(result.drift.seconds, 0.5))}, p99 ${ms(percentile(result.drift.seconds, 0.99))} (${result.drift.seconds.length} edits)`,
  )
  console.log(
    `memory               ${result.memory.togetherMib.toFixed(0)} MiB peak, all processes together, shared files counted once; ${result.memory.sumOfPeaksMib.toFixed(0)} MiB when the peak of each is added up`,
  )
}

function printUsage(usage: Usage): void {
  for (const service of usage.services)
    console.log(
      `  ${service.name.padEnd(18)} ${service.cpuSeconds.toFixed(2)} CPU-s, ${service.peakMib.toFixed(0)} MiB peak`,
    )
  for (const [verb, count] of Object.entries(usage.apiRequests).sort())
    console.log(`  API ${verb.padEnd(14)} ${count}`)
}

const ms = (seconds: number) => `${(seconds * 1000).toFixed(0)} ms`
