import { parseArgs } from 'node:util'
import { ensureBinaries } from '@setpoint/testkit'
import { runChaos } from './run-chaos.ts'

/** `npm run chaos -- --minutes 3 --apps 200 --replicas 2 --seed 42`. Exit code 0 only if nothing went wrong for good. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    apps: { type: 'string', default: '200' },
    replicas: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const say = (line: string) => process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`)

await ensureBinaries(['kube-apiserver', 'etcd', 'kubectl', 'nats-server', 'helm', 'registry'], { log: say })
const result = await runChaos({
  apps: Number(values.apps),
  replicas: Number(values.replicas),
  durationMs: Number(values.minutes) * 60_000,
  seed: Number(values.seed),
  stuckMs: 2 * 60_000,
  log: say,
})
say(JSON.stringify({ seed: Number(values.seed), ...result }, null, 2))
const grew = result.memoryMib.end > 1.3 * result.memoryMib.middle
if (grew) say('memory grew')
process.exit(result.wrong.length === 0 && !grew ? 0 : 1)
