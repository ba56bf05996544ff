import { parseArgs } from 'node:util'
import { startSourceBench } from './environment.ts'
import { measurements } from './measurements.ts'

const names = Object.keys(measurements) as (keyof typeof measurements)[]
const help = `Usage: npm run bench:source -- [--only ${names.join(',')}]

Starts a real API server with etcd, NATS, a Git server and the source service, and prints what fetching takes: a first
fetch beside that of git, a large repository, commits that touch one file, many repositories that do not change, archives.`

const { values } = parseArgs({
  options: { only: { type: 'string', default: names.join(',') }, help: { type: 'boolean', default: false } },
})

if (values.help) console.log(help)
else {
  await using bench = await startSourceBench()
  const wanted = values.only.split(',')
  for (const name of names) if (wanted.includes(name)) console.log(await measurements[name](bench))
}
