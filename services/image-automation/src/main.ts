import { REPORTING_CONTROLLERS } from '@setpoint/contracts'
import { runService } from '@setpoint/service'
import { settings } from './config.ts'
import { startImageAutomation } from './start.ts'

await runService({
  name: 'image-automation',
  controller: REPORTING_CONTROLLERS.imageAutomation,
  settings,
  start: startImageAutomation,
})
