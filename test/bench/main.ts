import { parseArgs } from 'node:util'
import { runBench } from './bench.ts'
import { printReport } from './report.ts'

const help = `Usage: npm run bench -- [--apps 100,1000] [--commits 20] [--edits 50]

Makes a monorepo of N apps (Kustomizations of 4 objects, 5 files each), starts a real API server with etcd, NATS, a Git
server and Setpoint, and prints for each N: the cold sync, commits that touch one app, and drift that is healed.`

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '100,1000' },
    commits: { type: 'string', default: '20' },
    edits: { type: 'string', default: '50' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(help)
else
  for (const apps of values.apps.split(',').map(Number))
    printReport(await runBench({ apps, commits: Number(values.commits), edits: Number(values.edits) }))
