export { CatchUp, type CatchUpOptions } from './catch-up.ts'
export { ReconcileError, RunTooLong, Stalled, Waiting } from './errors.ts'
export { jitter } from './jitter.ts'
export {
  KeyedQueue,
  type Priority,
  type QueueHealth,
  type QueueOptions,
  type Result,
  type Run,
} from './queue.ts'
