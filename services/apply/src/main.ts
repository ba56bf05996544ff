import { REPORTING_CONTROLLERS } from '@setpoint/contracts'
import { runService } from '@setpoint/service'
import { settings } from './config.ts'
import { startApply } from './start.ts'

await runService({
  name: 'apply',
  controller: REPORTING_CONTROLLERS.apply,
  settings,
  start: startApply,
})
