import { runMeasurements } from '../run-measurements.ts'
import { startSourceBench } from './environment.ts'
import { measurements } from './measurements.ts'

const says = `Starts a real API server with etcd, NATS, a Git server and the source service, and prints what fetching takes: a first
fetch beside that of git, a large repository, commits that touch one file, many repositories that do not change, archives.`

await runMeasurements('bench:source', says, measurements, startSourceBench)
