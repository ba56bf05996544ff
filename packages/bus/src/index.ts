export {
  type Bus,
  type BusStats,
  type ConsumeOptions,
  type Consumption,
  connectBus,
  newTraceId,
  type PutOptions,
  type Received,
  type StoredObject,
} from './bus.ts'
export type { BusConnectOptions, BusLog } from './connection.ts'
export { BusError, type BusErrorCode } from './errors.ts'
export { inspectStreams, type StreamReport } from './inspect.ts'
export { type ReadLast, readingLast } from './read-last.ts'
export type { Bucket } from './streams.ts'
