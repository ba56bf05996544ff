import type { ImageUpdateAutomation } from '@setpoint/contracts'
import { Stalled } from '@setpoint/reconcile'
import type { Plan } from './plan.ts'

const DEFAULT_MESSAGE = 'Update from image update automation'

/** @throws Stalled when the template cannot be used. */
export function compileMessage(template: string | undefined): void {
  if (template !== undefined && template !== '')
    throw new Stalled('NotImplemented', 'spec.git.commit.messageTemplate is not implemented yet')
}

export function commitMessage(_automation: ImageUpdateAutomation, _plan: Plan): string {
  return DEFAULT_MESSAGE
}
