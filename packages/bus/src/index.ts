export {
  type Bus,
  type ConsumeOptions,
  type Consumption,
  connectBus,
  newTraceId,
  type Received,
} from './bus.ts'
export type { PutOptions, StoredObject } from './byte-store.ts'
export type { BusConnectOptions, BusLog } from './connection.ts'
export { BusError, type BusErrorCode } from './errors.ts'
export { inspectStreams, type StreamReport } from './inspect.ts'
export { type ReadLast, readingLast } from './read-last.ts'
export type { BusStats } from './stats.ts'
export type { Bucket } from './streams.ts'
