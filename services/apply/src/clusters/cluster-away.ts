import { KubeUnreachableError } from '@setpoint/kube'
import type { ReconcileError } from '@setpoint/reconcile'

/** Another cluster than the own one does not answer: a fault to tell of, where an absence of the own one leaves nobody to tell. */
export class ClusterAway extends KubeUnreachableError {
  /** What to say of it. */
  readonly absence: ReconcileError

  constructor(absence: ReconcileError) {
    super(absence.message, { cause: absence })
    this.absence = absence
  }
}
