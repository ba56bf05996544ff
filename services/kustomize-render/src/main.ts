import { runService } from '@setpoint/service'
import { settings } from './config.ts'
import { startRender } from './start.ts'

await runService({
  name: 'kustomize-render',
  controller: 'kustomize-controller',
  settings,
  start: startRender,
})
