export { commonSettings } from './common-settings.ts'
export {
  type Config,
  ConfigError,
  helpText,
  listenAddress,
  namespacedName,
  oneOf,
  readConfig,
  type Setting,
  type Settings,
  text,
  trueOrFalse,
  variableOf,
  wholeNumber,
} from './config.ts'
export { type EventDetails, type EventObject, EventRecorder } from './events.ts'
export { Metrics } from './metrics.ts'
export {
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceDefinition,
} from './run-service.ts'
export { loadSealingKey } from './sealing-key.ts'
export { type FinishedSpan, noTracing, type Tracing } from './tracing.ts'
