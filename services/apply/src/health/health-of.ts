import type { KubeObject } from '@setpoint/manifest'
import type { HealthStatus } from './pending.ts'

/** TEMPORARY until kstatus is there. */
export function healthOf(_object: KubeObject): { status: HealthStatus; message: string } {
  return { status: 'Current', message: '' }
}
