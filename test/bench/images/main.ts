import { parseArgs } from 'node:util'
import { startImageBench } from './environment.ts'
import { measurements } from './measurements.ts'

const names = Object.keys(measurements) as (keyof typeof measurements)[]
const help = `Usage: npm run bench:images -- [--only ${names.join(',')}]

Starts a real API server with etcd, NATS, a Git server, a registry and Setpoint, and prints what image automation takes.`

const { values } = parseArgs({
  options: { only: { type: 'string', default: names.join(',') }, help: { type: 'boolean', default: false } },
})

if (values.help) console.log(help)
else {
  await using bench = await startImageBench()
  const wanted = values.only.split(',')
  for (const name of names) if (wanted.includes(name)) console.log(await measurements[name](bench))
}
