import { REPORTING_CONTROLLERS } from '@setpoint/contracts'
import { runService } from '@setpoint/service'
import { settings } from './config.ts'
import { startSource } from './start.ts'

await runService({
  name: 'source',
  controller: REPORTING_CONTROLLERS.source,
  settings,
  start: startSource,
})
