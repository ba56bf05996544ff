import { processIo } from './io.ts'
import { runCommandLine } from './run-command-line.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort(new Error(`stopped by ${signal}`))
  })
}
// `setpoint get all | head`: the reader went away, which is no failure.
process.stdout.on('error', () => process.exit(0))

process.exitCode = await runCommandLine(process.argv.slice(2), processIo(), interrupted.signal)
