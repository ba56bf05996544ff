import { parseArgs } from 'node:util'
import { type BenchOptions, runBench } from './bench.ts'
import { printComparison } from './comparison.ts'
import { fluxWith } from './flux.ts'
import { printReport } from './report.ts'
import { startSetpoint } from './setpoint.ts'

const help = `Usage: npm run bench -- [--apps 100,1000] [--commits 20] [--edits 50] [--beside-flux [--flux-flags FLAGS]]

Makes a monorepo of N apps (Kustomizations of 4 objects, 5 files each), starts a real API server with etcd, NATS, a Git
server and Setpoint, and prints for each N: the cold sync, commits that touch one app, and drift that is healed.

  --beside-flux   afterwards the same with Flux's source-controller and kustomize-controller, which are built when they
                  are missing (about 5 min), and both side by side
  --flux-flags    for both controllers, separated by spaces (default: those that Flux advises for hundreds of apps)`

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '100,1000' },
    commits: { type: 'string', default: '20' },
    edits: { type: 'string', default: '50' },
    'beside-flux': { type: 'boolean', default: false },
    'flux-flags': { type: 'string', default: '--concurrent=10 --requeue-dependency=5s' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log(help)
else
  for (const apps of values.apps.split(',').map(Number))
    await measure({ apps, commits: Number(values.commits), edits: Number(values.edits) })

/** Flux comes when Setpoint and its API server have ended, so that neither takes from the other. */
async function measure(options: BenchOptions): Promise<void> {
  const setpoint = await runBench(startSetpoint, options)
  printReport(setpoint)
  if (!values['beside-flux']) return
  const flux = await runBench(fluxWith(values['flux-flags'].split(' ').filter(Boolean)), options)
  printReport(flux)
  printComparison(setpoint, flux)
}
