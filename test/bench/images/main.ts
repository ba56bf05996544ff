import { runMeasurements } from '../run-measurements.ts'
import { startImageBench } from './environment.ts'
import { measurements } from './measurements.ts'

const says =
  'Starts a real API server with etcd, NATS, a Git server, a registry and Setpoint, and prints what image automation takes.'

await runMeasurements('bench:images', says, measurements, startImageBench)
